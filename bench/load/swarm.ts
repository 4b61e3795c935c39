import { Agent, request } from "node:http";
import { toBase64Url, utf8 } from "../../protocol/bytes.ts";
import { as, asObject, parseJson } from "../../protocol/guards.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { isServerNonce, type RunId, type TicketId, type VolunteerKey } from "../../protocol/ids.ts";
import { parseManifest } from "../../protocol/manifest.ts";
import { parseReceipt, verifyReceipt } from "../../protocol/receipt.ts";
import { type Recipient, SERVER_NONCE_HEADER, signRequest } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseTicket, type Ticket } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";

export interface SwarmOptions {
  readonly port: number;
  /** The server's key: one receipt in a hundred is verified. */
  readonly server: VolunteerKey;
  readonly volunteers: number;
  /** Deltas a second that all volunteers together send if they are never kept waiting. */
  readonly rate: number;
  readonly frame: () => Uint8Array<ArrayBuffer>;
}

const VERIFIED = 100;
const RETRY_MS = 500;

/** Volunteers that ask, take the time that training takes, send, and ask again, each over its own socket. */
export class LoadSwarm {
  /** From the first byte of an upload to its receipt, ms, since the last {@link reset}. */
  receipts: number[] = [];
  /** How often each refusal came. */
  readonly refusals = new Map<string, number>();
  readonly #options: SwarmOptions;
  readonly #agent: Agent;
  #run: RunId | undefined;
  #serverNonce: unknown;
  #stopped = false;
  #count = 0;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.volunteers });
  }

  async run(): Promise<void> {
    const { volunteers } = this.#options;
    const identities = await Promise.all(Array.from({ length: volunteers }, () => createIdentity()));
    await Promise.all(identities.map((identity, i) => this.#volunteer(identity, i)));
  }

  reset(): void {
    this.receipts = [];
    this.refusals.clear();
  }

  stop(): void {
    this.#stopped = true;
    this.#agent.destroy();
  }

  async #volunteer(identity: Identity, number: number): Promise<void> {
    const { volunteers, rate } = this.#options;
    const training = (volunteers / rate) * 1_000;
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    await sleep(Math.random() * training); // not all at once
    while (!this.#stopped) {
      try {
        const asked = performance.now();
        const ticket = await this.#ticket(identity, address);
        const trained = asked + training * (0.75 + Math.random() / 2);
        await sleep(trained - performance.now());
        await this.#upload(identity, address, ticket);
      } catch (error) {
        if (this.#stopped) return;
        const what = error instanceof Error ? error.message : String(error);
        this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
        await sleep(RETRY_MS);
      }
    }
  }

  async #ticket(identity: Identity, address: string): Promise<Ticket> {
    const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(16))) as TicketId;
    return parseTicket(
      asObject((await this.#post(identity, address, ROUTES.tickets, utf8("{}"), nonce)).ticket, "ticket"),
    );
  }

  async #upload(identity: Identity, address: string, ticket: Ticket): Promise<void> {
    const steps = ticket.trainFor !== undefined && { steps: ticket.steps };
    const report = { loss: 2, trainMs: 3_000, device: "load", ...steps };
    const body = encodeUpload(ticket, report, this.#options.frame());
    const began = performance.now();
    const answer = await this.#post(identity, address, ROUTES.deltas, body, ticket.id);
    this.receipts.push(performance.now() - began);
    const receipt = parseReceipt(asObject(answer.receipt, "receipt"));
    if (this.#count++ % VERIFIED === 0 && !(await verifyReceipt(this.#options.server, receipt))) {
      throw new Error("a receipt's signature does not fit");
    }
  }

  async #post(
    identity: Identity,
    address: string,
    path: string,
    body: Uint8Array<ArrayBuffer>,
    nonce: TicketId,
  ) {
    const to = await this.#recipient();
    const signed = await signRequest(identity, { method: "POST", path, body }, nonce, to);
    const headers = {
      ...signed,
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
      "x-forwarded-for": address,
      "content-length": String(body.length),
    };
    const { status, bytes } = await this.#send("POST", path, headers, body);
    const json = parseJson(bytes);
    if (status === 200) return json;
    const { code, message } = asObject(json.error, "error");
    throw new Error(`${String(code)} (${String(message)})`);
  }

  /** The run that is served, and the newest nonce that its server sent. */
  async #recipient(): Promise<Recipient> {
    const { port, server } = this.#options;
    if (this.#run === undefined || this.#serverNonce === undefined) {
      const { bytes } = await this.#send("GET", ROUTES.manifest, {});
      this.#run = parseManifest(parseJson(bytes)).run;
    }
    const serverNonce = as(isServerNonce, this.#serverNonce, SERVER_NONCE_HEADER);
    return { run: this.#run, server, origin: `http://127.0.0.1:${port}`, serverNonce };
  }

  #send(method: string, path: string, headers: Record<string, string>, body?: Uint8Array) {
    return new Promise<{ status: number; bytes: Uint8Array }>((resolve, reject) => {
      const { port } = this.#options;
      const sending = request(
        { host: "127.0.0.1", port, path, method, headers, agent: this.#agent },
        (answer) => {
          this.#serverNonce = answer.headers[SERVER_NONCE_HEADER] ?? this.#serverNonce;
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
          answer.on("error", reject);
        },
      );
      sending.on("error", reject);
      sending.end(body);
    });
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
