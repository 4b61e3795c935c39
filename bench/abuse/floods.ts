import { createHash, randomBytes, randomInt } from "node:crypto";
import { gzipSync } from "node:zlib";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { ROUTES, WRITING_ROUTES } from "../../protocol/routes.ts";
import { SETUP_ROUTES } from "../../protocol/setup.ts";
import { HttpVolunteer } from "../../test/harness/http-volunteer.ts";
import {
  cutsOf,
  type Ending,
  type Form,
  formsOf,
  play,
  type Target,
} from "../../test/harness/raw-sockets.ts";

/** One thing that a stranger does; it may reject, as most of what a stranger does is refused. */
export type Deed = () => Promise<unknown>;

/** Milliseconds after which a connection is held that should be none: the longest deadline is 60 s of no movement. */
const PATIENCE_MS = 75_000;
/** Keys of the strangers. A signed request of each is refused or answered; none is ever trusted. */
const KEYS = 200;

const pick = <T>(list: readonly T[]): T => list[randomInt(list.length)]!;
const drawId = () => randomBytes(16).toString("base64url");

/** Any form of request, cut at any boundary, and then reset or half-closed. */
export function rude(target: Target): Deed {
  const forms = formsOf();
  return () => {
    const form = pick(forms);
    const whole = form.bytes.length;
    const [cut, ending]: [number, Ending] = pick([
      [pick(cutsOf(form)), "reset"],
      [pick(cutsOf(form)), "half-close"],
      [whole, "reset when answered"],
    ]);
    return play(target, form, cut, ending, PATIENCE_MS);
  };
}

/** The same, and then silence: until the server has had enough. */
export function silent(target: Target): Deed {
  const forms = formsOf();
  return () => {
    const form: Form = pick(forms);
    return play(target, form, pick(cutsOf(form)), "silence", PATIENCE_MS);
  };
}

/** Requests under many keys and under none: for work, of what is none, announcements, names and the end of them. */
export async function askers(origin: string): Promise<Deed> {
  const volunteers = await Promise.all(Array.from({ length: KEYS }, () => HttpVolunteer.at(origin)));
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const bodies: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
    [ROUTES.tickets]: () => json({ audits: true }),
    [ROUTES.audits]: () => json({ audit: drawId(), measured: {} }),
    [ROUTES.deltas]: () => new Uint8Array(randomBytes(randomInt(2_000))),
    [ROUTES.peers]: () =>
      json({
        id: drawId(),
        token: drawId(),
        holds: [hash()],
        latest: true,
        wants: hash(),
        wrong: [drawId()],
      }),
    [ROUTES.myName]: () => json({ name: `Stranger ${randomInt(1_000)}` }),
    [ROUTES.myData]: () => json({}),
    [ROUTES.myTeam]: () => json({ team: pick([null, `Team ${randomInt(1_000)}`]) }),
    [ROUTES.myLink]: () => json(pick([{ with: null }, { with: key(), signature: drawId() }])),
    [ROUTES.myCode]: () => json({ box: pick(boxes), ...pick(notes) }),
    [ROUTES.forgetMe]: () => json({}),
  };
  const paths = Object.keys(bodies);
  const open = [ROUTES.speeds, WRITING_ROUTES.completions, "/v1/chat/completions"];
  const bomb = new Uint8Array(gzipSync(new Uint8Array(8 * 1024 * 1024)));
  const unsigned = async (init: RequestInit) => {
    const answer = await fetch(origin + pick([...paths, ...open]), { method: "POST", ...init });
    await answer.arrayBuffer();
  };
  return () => {
    const path = pick(paths);
    const body = bodies[path]?.() ?? json({});
    const deeds: readonly Deed[] = [
      () => pick(volunteers).post(path, body),
      () => unsigned({ body }),
      () => unsigned({ body: JSON.stringify(pick(OPEN_BODIES)()), headers: JSON_TYPE }),
      () => unsigned({ body: bomb, headers: { "content-encoding": "gzip" } }),
      async () => (await fetch(origin + pick(READS)())).arrayBuffer(),
    ];
    return pick(deeds)();
  };
}

const JSON_TYPE = { "content-type": "application/json" };
/** Bodies of requests that nobody signs. */
const OPEN_BODIES: readonly (() => unknown)[] = [
  () => ({ speeds: [{ ...SPEED, adapter: `GPU ${randomInt(10_000)}`, tokensPerSecond: randomInt(1e6) }] }),
  () => ({ prompt: "The whale ".repeat(randomInt(1, 500)), max_tokens: randomInt(1, 300), stop: ["é"] }),
  () => ({ prompt: "🐋", stream: true, max_tokens: 64, seed: randomInt(1e6) }),
];
const SPEED = { device: "webgpu", software: false, size: "small", ofPeak: null };
const boxes = Array.from({ length: 50 }, drawId);
const notes = [{ open: true }, { knock: "k".repeat(100) }, { hand: "h".repeat(500) }, {}];

/** Paths that anyone may read: those of what is not there too, under ever new names. */
const READS: readonly (() => string)[] = [
  ...[ROUTES.run, ROUTES.manifest, ROUTES.latestSnapshot, ROUTES.tokenizer, ROUTES.leaders].map(
    (path) => () => path,
  ),
  ...[ROUTES.teams, ROUTES.speeds, ROUTES.runs, WRITING_ROUTES.models, "/", "/status"].map(
    (path) => () => path,
  ),
  () => `/api/teams/${drawId()}`,
  () => `/api/people/${drawId()}/card.png`,
  () => `/person?id=${drawId()}`,
  () => `/r/${drawId()}/api/run`,
  () => `/v1/${drawId()}`,
];
const key = () => randomBytes(32).toString("base64url");
const hash = () => randomBytes(32).toString("hex");

/** Sends what an operator does, signed in by a server's link; throws where it is refused. */
async function operatorOf({ origin, hash: secret }: URL) {
  let cookie = "";
  const send = async (path: string, body: unknown) => {
    const bytes = body instanceof Uint8Array;
    const type = bytes ? "application/octet-stream" : "application/json";
    const answer = await fetch(origin + path, {
      method: "POST",
      headers: { origin, [OPERATOR_HEADER]: "1", cookie, "content-type": type },
      body: bytes ? new Uint8Array(body) : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    return answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  };
  cookie = await send(OPERATOR_ROUTES.signIn, { link: secret.replace("#link=", "") });
  return { send, cookie };
}

/** Has the server's model write for whoever asks. */
export async function writesForAll(link: URL): Promise<void> {
  const { send } = await operatorOf(link);
  await send(OPERATOR_ROUTES.act, { action: "completions", on: true });
}

/** An operator's texts that become a thousand times what was sent, one after another. */
export async function packedTexts(link: URL): Promise<Deed> {
  const text = new Uint8Array(gzipSync("Ahoy! ".repeat(10_000_000)));
  const { send, cookie } = await operatorOf(link);
  const model = { layers: 1, heads: 1, width: 8, context: 16 };
  return async () => {
    await send(SETUP_ROUTES.text, { name: "bomb.txt.gz", bytes: text.length });
    await send(SETUP_ROUTES.chunk(0), text);
    await send(SETUP_ROUTES.finish, { sha256: createHash("sha256").update(text).digest("hex") });
    await send(SETUP_ROUTES.create, { text: "upload", vocabulary: 300, settings: { model }, paused: true });
    for (let failed: unknown = null; failed === null; ) {
      const answer = await fetch(link.origin + SETUP_ROUTES.state, { headers: { cookie } });
      ({ failed } = (await answer.json()) as { failed: unknown });
    }
    await send(SETUP_ROUTES.discard, {});
  };
}
