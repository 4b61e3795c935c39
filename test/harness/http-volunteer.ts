import { SignedPosts } from "../../client/transport/signed.ts";
import { Random } from "../../model/lib/random.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { asObject } from "../../protocol/guards.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { parseReceipt, type Receipt } from "../../protocol/receipt.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseTicket, type Ticket } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";

/** By which it says that it reaches the server, wherever {@link Send} leads, unless a test names another address. */
const ORIGIN = "http://localhost";

/** Sends one request: `fetch` bound to an origin, or an app's `request`. */
export type Send = (path: string, init: RequestInit) => Response | Promise<Response>;

/** A volunteer that speaks HTTP and trains nothing: its deltas are what a test says. */
export class HttpVolunteer {
  readonly identity: Identity;
  /** Where its requests go; another after a restart. */
  send: Send;
  readonly #posts: SignedPosts;

  private constructor(identity: Identity, send: Send, address: string) {
    this.identity = identity;
    this.send = send;
    const { origin } = new URL(address);
    this.#posts = new SignedPosts({
      server: address,
      fetch: async (url, init) => this.send(String(url).slice(origin.length), init ?? {}),
    });
  }

  /** `address` is the server's, as whoever types it has it: with a run's path on a server of several. */
  static async create(send: Send, address = ORIGIN, identity?: Identity): Promise<HttpVolunteer> {
    return new HttpVolunteer(identity ?? (await createIdentity()), send, address);
  }

  /** One of a server at an origin, that sends `headers` with every request. */
  static at(origin: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpVolunteer> {
    return HttpVolunteer.create((path, init) =>
      fetch(origin + path, { ...init, headers: { ...init.headers, ...headers } }),
    );
  }

  /** Throws the server's refusal as a ProtocolError. */
  async ticket(): Promise<Ticket> {
    return parseTicket(asObject((await this.post(ROUTES.tickets, utf8("{}"))).ticket, "ticket"));
  }

  /** Asks, and sends a small delta of so many values. Throws the server's refusal as a ProtocolError. */
  async contribute(parameters: number, seed: number): Promise<Receipt> {
    const ticket = await this.ticket();
    return this.upload(ticket, smallDelta(parameters, seed, ticket));
  }

  /** Sends a delta for a ticket. Throws the server's refusal as a ProtocolError. */
  async upload(ticket: Ticket, frame: Uint8Array): Promise<Receipt> {
    const steps = ticket.trainFor !== undefined && { steps: ticket.steps };
    const body = encodeUpload(ticket, { loss: 2, trainMs: 5, device: "test", ...steps }, frame);
    return parseReceipt(asObject((await this.post(ROUTES.deltas, body, ticket.id)).receipt, "receipt"));
  }

  /** Signed as a browser signs it, for the run and the server that answer. */
  post(path: string, body: Uint8Array<ArrayBuffer>, nonce?: TicketId) {
    return this.#posts.post(this.identity, { path, body, ...(nonce !== undefined && { nonce }) });
  }
}

/** A small delta of `length` values, another for every `seed`, as the ticket asks for it. */
export function smallDelta(length: number, seed: number, { delta = DENSE4 }: Pick<Ticket, "delta">) {
  const random = new Random(seed);
  return encodeFrame(
    delta,
    Float32Array.from({ length }, () => (random.unit() - 0.5) / 500),
  );
}
