import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { ticketTokens } from "../../protocol/ticket.ts";
import type { RoundDeps } from "./deps.ts";
import type { Carry } from "./local-state.ts";
import type { Phase } from "./messages.ts";
import type { Done, Work } from "./round.ts";
import { type Answer, sendUntil } from "./send.ts";

/** An upload on its way. Training may go on meanwhile; what is carried waits for {@link Flight.land}. */
export class Flight {
  /** Resolves when the server has answered, or the lease is over; rejects only when the visitor stops. */
  readonly answered: Promise<Answer>;
  readonly #deps: RoundDeps;
  readonly #done: Done;
  #phase: Phase | undefined;
  #watched = false;

  private constructor(deps: RoundDeps, work: Work, done: Done) {
    this.#deps = deps;
    this.#done = done;
    this.answered = this.#send(work);
    this.answered.catch(() => undefined); // whoever lands hears of it; a stop may come before
  }

  static async launch(deps: RoundDeps, carry: Carry, work: Work, done: Done): Promise<Flight> {
    await carry.sending(done.body);
    return new Flight(deps, work, done);
  }

  /** Waits for the answer, showing where the upload is, and carries on by it. */
  async land(carry: Carry): Promise<Answer> {
    this.#watched = true;
    if (this.#phase !== undefined) this.#deps.control.enter(this.#phase);
    const answer = await this.answered;
    await carry.settle(this.#done.parcel, answer);
    return answer;
  }

  async #send({ ticket, deadline }: Work): Promise<Answer> {
    const { manifest, report, glimpse, control } = this.#deps;
    const { parcel, body } = this.#done;
    const say = (phase: Phase) => {
      this.#phase = phase;
      if (this.#watched) control.enter(phase);
    };
    const answer = await sendUntil(this.#deps, ticket, body, parcel.frame, deadline, say);
    this.#phase = undefined;
    if (answer instanceof ProtocolError)
      report({ type: "refused", code: answer.code, message: answer.message });
    if (answer !== "taken") return answer;
    glimpse?.sent(parcel.frame, ticket.steps);
    const tokens = ticketTokens(ticket, manifest.model.context);
    const delta = await sha256(parcel.frame);
    report({ type: "sent", bytes: body.length, version: ticket.version, tokens, ticket: ticket.id, delta });
    return answer;
  }
}
