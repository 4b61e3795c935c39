import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { asObject } from "../../protocol/guards.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import {
  type Estimate,
  parseEstimate,
  parseSetupState,
  SETUP_ROUTES,
  type SetupState,
  TEXT_CHUNK_BYTES,
} from "../../protocol/setup.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { edge } from "../../test/edge.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { parquetOf } from "../../test/parquet-fixture.ts";
import { readCorpus } from "../corpus/shards.ts";
import { kindOf } from "../data-dir/directory.ts";
import { AuditLog } from "../operator/audit-log.ts";
import { issueLink } from "../operator/link.ts";
import type { Settings } from "../run/settings.ts";
import { SetupService } from "./run-setup.ts";
import { type UploadDisk, UploadedText } from "./uploaded-text.ts";

/** A server without a run, as an operator's browser reaches it. */
let directory: string;
let begun: Settings[];
let setup: SetupService;
let app: ReturnType<typeof edge>;
let cookie: string;

const disk: UploadDisk = {
  free: async () => 1e9,
  write: async (file, bytes, offset) => void (await file.write(bytes, 0, bytes.length, offset)),
};

async function serve(hasCorpus = false): Promise<void> {
  setup = await SetupService.open(
    {
      ...{ directory, disk, errors: silentLog, wallClock: Date.now },
      text: await UploadedText.open(directory, disk, 10 * TEXT_CHUNK_BYTES),
      log: await AuditLog.open(directory),
      begin: async (settings) => void begun.push(settings),
    },
    hasCorpus,
  );
  app = edge(undefined, { setup });
  const link = await issueLink(directory, "Ann", Date.now());
  const signedIn = await post(OPERATOR_ROUTES.signIn, { link });
  cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-setup-"));
  begun = [];
  cookie = "";
  await serve();
});
afterEach(async () => {
  await setup.close();
  await rm(directory, { recursive: true });
});

const send = (path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
  app.request(path, {
    method: "POST",
    body,
    headers: { origin: "http://localhost", "content-type": type, [OPERATOR_HEADER]: "1", cookie },
  });
const post = (path: string, body: unknown) => send(path, JSON.stringify(body), "application/json");
const chunk = (offset: number, bytes: Uint8Array<ArrayBuffer>) =>
  send(SETUP_ROUTES.chunk(offset), bytes, "application/octet-stream");
const codeOf = async (response: Response): Promise<string> => (await response.json()).error.code;

async function state(): Promise<SetupState> {
  const answer = await app.request(SETUP_ROUTES.state, { headers: { cookie } });
  return parseSetupState(asObject(await answer.json(), "state"));
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function upload(text: Uint8Array<ArrayBuffer>, name = "a.txt", piece = 20_000): Promise<void> {
  await post(SETUP_ROUTES.text, { name, bytes: text.length });
  for (let at = 0; at < text.length; at += piece) await chunk(at, text.slice(at, at + piece));
  expect((await post(SETUP_ROUTES.finish, { sha256: sha256(text) })).status).toBe(200);
}

const MODEL = { layers: 1, heads: 2, width: 16, context: 16 };
const order = (changes: object = {}) => ({
  text: "upload",
  vocabulary: 300,
  settings: { name: "Ann’s", model: MODEL, tokenBudget: 1_000_000 },
  paused: true,
  ...changes,
});
const settled = () =>
  vi.waitFor(async () => {
    const now = await state();
    if (begun.length === 0 && now.failed === null) throw new Error("still at work");
    return now;
  }, 20_000);

describe("a server without a run, to a signed-in operator", () => {
  it("O3, O5: takes a text in pieces, makes its corpus beside the event loop, and begins the run as ordered", async () => {
    const text = utf8(prose(60_000));
    await upload(text);
    expect((await state()).upload).toEqual({
      name: "a.txt",
      bytes: text.length,
      received: text.length,
      sha256: sha256(text),
    });
    expect((await post(SETUP_ROUTES.create, order())).status).toBe(200);
    // While it works, nothing about it may change.
    for (const path of [SETUP_ROUTES.create, SETUP_ROUTES.discard, SETUP_ROUTES.text]) {
      const body = path === SETUP_ROUTES.create ? order() : { name: "b.txt", bytes: 3 };
      if (begun.length === 0) expect(await codeOf(await post(path, body)), path).toBe("not-ready");
    }
    await settled();
    expect(begun).toMatchObject([{ name: "Ann’s", model: MODEL, startPaused: true }]);
    expect((await readCorpus(directory)).index.vocabulary).toBe(300);
    const log = await readFile(join(directory, "operator-log.jsonl"), "utf8");
    expect(JSON.parse(log)).toMatchObject({ who: "Ann", action: expect.stringContaining("create run") });
    await vi.waitFor(async () => expect((await state()).upload).toBeNull());
  }, 30_000);

  it("goes on with an upload after the server was started again, and the page was reloaded", async () => {
    const text = utf8(prose(60_000));
    await post(SETUP_ROUTES.text, { name: "a.txt", bytes: text.length });
    await chunk(0, text.slice(0, 31_000));
    await serve();
    expect((await state()).upload?.received).toBe(31_000);
    expect(await kindOf(directory)).toBe("empty");
    const again = await post(SETUP_ROUTES.text, { name: "a.txt", bytes: text.length });
    expect(await again.json()).toMatchObject({ received: 31_000 });
    expect(await codeOf(await chunk(30_000, text.slice(30_000)))).toBe("wrong-offset");
    await chunk(31_000, text.slice(31_000));
    expect((await post(SETUP_ROUTES.finish, { sha256: sha256(text) })).status).toBe(200);
  });

  it("makes the run of a corpus that is there, in the corpus's own tokens", async () => {
    await upload(utf8(prose(60_000)));
    await post(SETUP_ROUTES.create, order());
    await settled();
    begun = [];
    await serve(true);
    expect((await state()).corpus).toMatchObject({ vocabulary: 300 });
    expect(await codeOf(await post(SETUP_ROUTES.create, order()))).toBe("not-ready");
    const asked = await post(SETUP_ROUTES.estimate, order({ text: "corpus", vocabulary: 9_999 }));
    const { parameters }: Estimate = await asked.json();
    expect(parameters).toBe(300 * 16 + 16 * 16 + 12 * 16 * 16 + 13 * 16 + 2 * 16);
    await post(SETUP_ROUTES.create, order({ text: "corpus", paused: false }));
    await settled();
    expect(begun).toMatchObject([{ startPaused: false }]);
  }, 30_000);

  it("says why a text made no corpus, leaves nothing behind, and takes another try", async () => {
    await upload(utf8("too short a text"));
    await post(SETUP_ROUTES.create, order({ vocabulary: 256 }));
    expect((await settled()).failed).toMatchObject({ code: "too-short" });
    expect(await kindOf(directory)).toBe("empty");
    await post(SETUP_ROUTES.discard, {});
    expect(await state()).toMatchObject({ upload: null, failed: null });
    await upload(utf8(`${" \n".repeat(40_000)}`));
    await post(SETUP_ROUTES.create, order());
    expect((await settled()).failed).toMatchObject({ code: "empty" });
    expect(begun).toEqual([]);
  }, 30_000);

  it("A5: stops to unpack a text that becomes too much of what was sent; a packed text, the control, is read", async () => {
    const packed = (text: string) => new Uint8Array(gzipSync(text));
    await upload(packed("Ahoy! ".repeat(10_000_000)), "bomb.txt.gz");
    await post(SETUP_ROUTES.create, order());
    expect((await settled()).failed).toMatchObject({ code: "too-large" });
    await post(SETUP_ROUTES.discard, {});
    await upload(packed(prose(60_000)), "a.txt.gz");
    await post(SETUP_ROUTES.create, order());
    expect((await settled()).failed).toBeNull();
  }, 60_000);

  it("A5: the same of a Parquet file; its control is read", async () => {
    const bomb = parquetOf({ text: Array.from({ length: 50_000 }, () => "Ahoy! ".repeat(300)) });
    await upload(bomb, "bomb.parquet");
    await post(SETUP_ROUTES.create, order());
    expect((await settled()).failed).toMatchObject({ code: "too-large" });
    await post(SETUP_ROUTES.discard, {});
    await upload(parquetOf({ text: prose(60_000).split("\n\n") }), "a.parquet");
    await post(SETUP_ROUTES.create, order());
    expect((await settled()).failed).toBeNull();
  }, 60_000);

  it("O5: says what a size costs, by the code that will run", async () => {
    const answer = await post(SETUP_ROUTES.estimate, order({ settings: {}, vocabulary: 512 }));
    const estimate = parseEstimate(asObject(await answer.json(), "estimate"));
    expect(estimate.parameters).toBe(285_312);
    expect(estimate.snapshotBytes - 4 * 285_312).toBeLessThan(5_000);
    expect(8 * estimate.deltaBytes).toBeCloseTo(4.25 * 285_312, -4);
    expect(estimate.ticketTokens, "a step of one sequence, and 250 of twelve").toEqual([128, 250 * 12 * 128]);
    const turns = order({ settings: { rounds: "turns" }, vocabulary: 512 });
    const onTurns = parseEstimate(
      asObject(await (await post(SETUP_ROUTES.estimate, turns)).json(), "estimate"),
    );
    expect(onTurns.ticketTokens).toEqual([3 * 4 * 128, 30 * 4 * 128]);
    // Training costs about 6 operations a parameter that is multiplied with, and the head is the embedding.
    expect(estimate.flopsPerToken / (6 * 285_312)).toBeGreaterThan(0.9);
    expect(estimate.flopsPerToken / (6 * 285_312)).toBeLessThan(1.3);
    expect(estimate.tokenBudget).toBe(20_000_000);
  });

  it.each([
    [SETUP_ROUTES.text, {}, "bad-request"],
    [SETUP_ROUTES.text, { name: "a.txt", bytes: -1 }, "bad-request"],
    [SETUP_ROUTES.text, { name: "a.doc", bytes: 5 }, "unknown-type"],
    [SETUP_ROUTES.text, { name: "../../a.txt", bytes: 0 }, "empty-text"],
    [SETUP_ROUTES.text, { name: "a.txt", bytes: 1e12 }, "too-large"],
    [SETUP_ROUTES.text, { name: "x".repeat(300), bytes: 5 }, "bad-request"],
    [SETUP_ROUTES.finish, { sha256: "1".repeat(64) }, "not-ready"],
    [SETUP_ROUTES.finish, { sha256: "no" }, "bad-request"],
    [SETUP_ROUTES.create, order(), "not-ready"],
    [SETUP_ROUTES.create, order({ text: "corpus" }), "not-ready"],
    [SETUP_ROUTES.create, order({ text: "/etc/passwd" }), "bad-request"],
    [SETUP_ROUTES.create, order({ vocabulary: 255 }), "bad-request"],
    [SETUP_ROUTES.create, order({ settings: { colour: 1 } }), "bad-request"],
    [SETUP_ROUTES.create, order({ settings: { name: "zero\u200bwidth" } }), "bad-request"],
    [SETUP_ROUTES.create, order({ settings: { model: { width: 8_192 } } }), "bad-request"],
    [SETUP_ROUTES.create, order({ paused: "yes" }), "bad-request"],
    [SETUP_ROUTES.estimate, order({ settings: { model: { width: 31 } } }), "bad-request"],
    [SETUP_ROUTES.estimate, order({ settings: { model: { layers: 96, width: 8_192 } } }), "bad-request"],
  ])("%s %j is refused: %s", async (path, body, code) => {
    expect(await codeOf(await post(path, body))).toBe(code);
    expect(begun).toEqual([]);
  });

  it.each([
    ["", "bad-request"],
    ["?offset=-1", "bad-request"],
    ["?offset=1e3", "bad-request"],
    ["?offset=5", "wrong-offset"],
  ])("a piece at %j is refused: %s", async (query, code) => {
    await post(SETUP_ROUTES.text, { name: "a.txt", bytes: 100 });
    const answer = await send(`${SETUP_ROUTES.chunks}${query}`, utf8("abc"), "application/octet-stream");
    expect(await codeOf(answer)).toBe(code);
  });

  it("O3: takes no piece that is larger than agreed, and no text that is not UTF-8", async () => {
    await post(SETUP_ROUTES.text, { name: "a.txt", bytes: 3 * TEXT_CHUNK_BYTES });
    expect(await codeOf(await chunk(0, new Uint8Array(TEXT_CHUNK_BYTES + 1)))).toBe("too-large");
    expect(await codeOf(await chunk(0, new Uint8Array([0x61, 0xff])))).toBe("not-utf8");
    expect((await chunk(0, new Uint8Array(TEXT_CHUNK_BYTES).fill(0x61))).status).toBe(200);
  });

  it("writes nowhere but into its own folder, whatever the file is called", async () => {
    const text = utf8("abc");
    await writeFile(join(directory, "a.txt"), "mine");
    await upload(text, "../a.txt");
    expect(await readFile(join(directory, "a.txt"), "utf8")).toBe("mine");
  });
});
