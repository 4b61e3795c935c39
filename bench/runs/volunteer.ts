import { setTimeout as sleep } from "node:timers/promises";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseManifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { HttpVolunteer, smallDelta } from "../../test/harness/http-volunteer.ts";

/** Milliseconds after a refusal that names no wait. */
const WAIT_MS = 200;

/** A volunteer that trains nothing and sends the same small delta for each ticket, as soon as it has one. */
export class BusyVolunteer {
  readonly #volunteer: HttpVolunteer;
  readonly #parameters: number;
  readonly #seed: number;
  /** By the codec that the ticket asks for. */
  readonly #frames = new Map<string, Uint8Array>();

  private constructor(volunteer: HttpVolunteer, parameters: number, seed: number) {
    this.#volunteer = volunteer;
    this.#parameters = parameters;
    this.#seed = seed;
  }

  /** `address` is the run's, e.g. `http://127.0.0.1:8080/r/whales`. */
  static async create(address: string, seed: number): Promise<BusyVolunteer> {
    const { origin } = new URL(address);
    const volunteer = await HttpVolunteer.create((path, init) => fetch(origin + path, init), address);
    const { parameters } = parseManifest(await (await fetch(address + ROUTES.manifest)).json());
    return new BusyVolunteer(volunteer, parameters, seed);
  }

  /** Asks for a ticket and sends its delta. Milliseconds to the receipt; nothing where there was none, after a wait. */
  async round(): Promise<readonly number[]> {
    try {
      const ticket = await this.#volunteer.ticket();
      const codec = JSON.stringify(ticket.delta);
      const frame = this.#frames.get(codec) ?? smallDelta(this.#parameters, this.#seed, ticket);
      this.#frames.set(codec, frame);
      const began = performance.now();
      await this.#volunteer.upload(ticket, frame);
      return [performance.now() - began];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      await sleep(error.retryAfterMs ?? WAIT_MS);
      return [];
    }
  }
}
