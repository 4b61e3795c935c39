import { sha256, utf8 } from "./bytes.js";
import { Refusal } from "./refusal.js";
import { drawNonce, requireSigned, signedHeaders } from "./signature.js";

const PROTOCOL = "2";
/** Milliseconds after which a server that says nothing is taken for away: rule N6. */
const PATIENCE_MS = 55_000;
/** Tries of a request that a server refuses for now. */
const TRIES = 20;
/** Codes that pass: section 14 of docs/PROTOCOL.md. */
const PASSING = [
  ...["too-many-requests", "internal-error", "run-paused", "no-run", "no-work", "not-durable", "no-space"],
  ...["server-nonce-expired"],
];

/** One server's paths: sections 2 to 4 of docs/PROTOCOL.md. */
export class Server {
  #base;
  #sleep;
  /** Whom requests are signed for (rules S2 and S3). */
  #recipient;

  /** `url` is where the server's page is; `sleep` resolves after so many milliseconds. */
  constructor(url, sleep) {
    this.#base = url.replace(/\/+$/, "");
    this.#sleep = sleep;
  }

  /** The manifest; requests are signed for its run from now on. */
  async manifest() {
    const manifest = await this.json("/api/manifest");
    const { run, server, path = "" } = manifest;
    if (!this.#base.endsWith(path)) throw new Error(`${this.#base} is not where the run says it is: ${path}`);
    // One of several runs of a server is signed for with its path (rule S5).
    this.#recipient = { ...this.#recipient, run, server, origin: new URL(this.#base).origin + path };
    return manifest;
  }

  async json(path) {
    return JSON.parse(new TextDecoder().decode(await this.bytes(path)));
  }

  /** The body of a GET. Throws the server's {@link Refusal}. */
  bytes(path, headers = {}) {
    return this.#insist(async () => read(await this.#fetch(path, { headers })));
  }

  /** Signs a POST and sends it until it is answered with something else than "not now": an upload always the same (rule D3). */
  post(identity, path, body, nonce) {
    return this.#insist(async () => {
      const asked = { method: "POST", path, body, nonce: nonce ?? drawNonce() };
      const headers = signedHeaders(identity, asked, this.#recipient);
      const answer = await this.#fetch(path, { method: "POST", body, headers });
      return JSON.parse(new TextDecoder().decode(await read(answer)));
    });
  }

  postJson(identity, path, value) {
    return this.post(identity, path, utf8(JSON.stringify(value)));
  }

  /**
   * An object by its chunks (rules K1 to K3): the list's signature first, then each chunk against its hash, then the
   * whole.
   */
  async object(manifest, name) {
    const { chunks: list } = await this.json(`/api/chunks/${name}`);
    requireSigned(manifest.server, "chunks", list);
    const count = Math.ceil(list.length / list.size);
    if (list.run !== manifest.run || list.object !== name || list.chunks.length !== count) {
      throw new Error(`the list of ${name} is another's`);
    }
    if (!name.startsWith("diffs/") && name.split("/")[1] !== list.hash) throw new Error("another hash");
    const path = name.startsWith("snapshots/") ? `/api/${name}.safetensors` : `/api/${name}`;
    const whole = new Uint8Array(list.length);
    for (let i = 0; i < count; i++) {
      const [from, to] = [i * list.size, Math.min((i + 1) * list.size, list.length)];
      const chunk = await this.bytes(path, { range: `bytes=${from}-${to - 1}` });
      if (sha256(chunk) !== list.chunks[i]) throw new Error(`chunk ${i} of ${name} has another hash`);
      whole.set(chunk, from);
    }
    if (sha256(whole) !== list.hash) throw new Error(`${name} has another hash`);
    return whole;
  }

  /** Tries again where the server refuses for now, is away, or closed a connection that was quiet while we trained. */
  async #insist(action) {
    for (let tries = 1; ; tries++) {
      try {
        return await action();
      } catch (error) {
        const passes = error instanceof Refusal ? PASSING.includes(error.code) : isAway(error);
        if (!passes || tries === TRIES) throw error;
        await this.#sleep(error.retryAfterMs ?? 250 * tries);
      }
    }
  }

  async #fetch(path, { headers, ...options }) {
    const answer = await fetch(this.#base + path, {
      ...options,
      headers: { ...headers, "murmuration-protocol": PROTOCOL },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const serverNonce = answer.headers.get("murmuration-server-nonce");
    if (serverNonce !== null) this.#recipient = { ...this.#recipient, serverNonce };
    return answer;
  }
}

/** What fetch throws of a connection: a TypeError with the socket's error, or a time-out. */
const isAway = (error) =>
  (error instanceof TypeError && error.cause !== undefined) || error.name === "TimeoutError";

/** The body of an answer. Throws a {@link Refusal} for one that is none. */
async function read(answer) {
  if (answer.headers.get("murmuration-protocol") !== PROTOCOL) throw new Error("another protocol");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (answer.ok) return bytes;
  const { error } = JSON.parse(new TextDecoder().decode(bytes));
  throw new Refusal(error.code, error.message, error.retryAfterMs);
}
