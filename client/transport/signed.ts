import { toBase64Url } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { type Json, parseJson } from "../../protocol/guards.ts";
import type { Identity } from "../../protocol/identity.ts";
import { isServerNonce, isTicketId, type TicketId } from "../../protocol/ids.ts";
import { type Manifest, parseManifest } from "../../protocol/manifest.ts";
import { type Recipient, SERVER_NONCE_HEADER, signRequest } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { SITE_HEADER } from "../../protocol/site.ts";
import type { Call } from "./api.ts";
import { WrongBytes } from "./away.ts";
import { type HttpOptions, MAX_JSON_ANSWER, parsed, type Request, request } from "./request.ts";

/** A request to sign and send. */
export interface Post {
  readonly path: string;
  /** Its bytes; made again for each try where they name the try. */
  readonly body:
    | Uint8Array<ArrayBuffer>
    | ((nonce: TicketId, to: Recipient) => Promise<Uint8Array<ArrayBuffer>>);
  /** An upload's is its ticket's; another request draws its own. */
  readonly nonce?: TicketId;
  /** The body's type, where it is not JSON. */
  readonly type?: string;
  /** The answer's largest size in bytes, where it is not the usual one. */
  readonly limit?: number;
  /** The longest silence, where it is not the usual one. */
  readonly stall?: number;
}

/**
 * Signs what is asked of a server, for the run that it serves and the newest nonce that it sent (rule S3). Whoever
 * posts before the manifest was read has it read first.
 */
export class SignedPosts {
  readonly #options: HttpOptions;
  #manifest: Manifest | undefined;
  #serverNonce: string | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Reads the manifest, and signs from now on for the run that it names. */
  async manifest(call: Call = {}): Promise<Manifest> {
    const what = { path: ROUTES.manifest, limit: MAX_JSON_ANSWER, heard: this.#hear };
    const answer = await request(this.#options, what, call);
    this.#manifest = parsed(() => parseManifest(parseJson(answer)));
    return this.#manifest;
  }

  /**
   * Asks for what needs no signature. Throws as the trainer's Api does. No nonce is taken from the answer: a cache may
   * have kept it for longer than the nonce is good.
   */
  get(what: Omit<Request, "post" | "heard">, call: Call = {}): Promise<Uint8Array<ArrayBuffer>> {
    return request(this.#options, what, call);
  }

  /** Throws as the trainer's Api does. A request whose server nonce is over is signed and sent once more. */
  async post(identity: Identity, post: Post, call: Call = {}): Promise<Json> {
    try {
      return await this.#send(identity, post, call);
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === "server-nonce-expired")) throw error;
      return this.#send(identity, post, call);
    }
  }

  async #send(identity: Identity, post: Post, call: Call): Promise<Json> {
    const { path, nonce = drawNonce(), type = "application/json", limit = MAX_JSON_ANSWER } = post;
    const to = await this.#recipient(call);
    const body = typeof post.body === "function" ? await post.body(nonce, to) : post.body;
    const signed = await signRequest(identity, { method: "POST", path, body }, nonce, to);
    const { site } = this.#options;
    const headers = { ...signed, "content-type": type, ...(site !== undefined && { [SITE_HEADER]: site }) };
    const what = { path, limit, heard: this.#hear, post: { body, headers } };
    const { stall } = post;
    const answer = await request(this.#options, { ...what, ...(stall !== undefined && { stall }) }, call);
    return parsed(() => parseJson(answer));
  }

  async #recipient(call: Call): Promise<Recipient> {
    const { run, server, path = "" } = this.#manifest ?? (await this.manifest(call));
    const serverNonce = this.#serverNonce;
    if (!isServerNonce(serverNonce)) throw new WrongBytes(`an answer without ${SERVER_NONCE_HEADER}`);
    const address = this.#options.server;
    // What is signed is where we are, not where an answer says that we are (rule S5).
    if (!address.endsWith(path)) throw new WrongBytes(`an answer for ${path} at ${address}`);
    return { run, server, origin: new URL(address).origin + path, serverNonce };
  }

  readonly #hear = (headers: Headers): void => {
    this.#serverNonce = headers.get(SERVER_NONCE_HEADER) ?? this.#serverNonce;
  };
}

/** The nonce of a request that has no ticket to take one from. */
function drawNonce(): TicketId {
  const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
  if (!isTicketId(nonce)) throw new TypeError("16 bytes are a nonce");
  return nonce;
}
