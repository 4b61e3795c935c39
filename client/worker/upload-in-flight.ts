import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { ticketTokens } from "../../protocol/ticket.ts";
import type { RoundDeps } from "./deps.ts";
import type { LocalState } from "./local-state.ts";
import type { Phase } from "./messages.ts";
import type { Work } from "./prefetch.ts";
import { type Answer, sendUntil } from "./send.ts";
import type { Done } from "./train.ts";

/** An upload on its way. Training may go on meanwhile; what is carried waits for {@link UploadInFlight.land}. */
export class UploadInFlight {
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

  static async launch(
    deps: RoundDeps,
    localState: LocalState,
    work: Work,
    done: Done,
  ): Promise<UploadInFlight> {
    await localState.sending(done.body);
    return new UploadInFlight(deps, work, done);
  }

  /** Waits for the answer, showing where the upload is, and carries on by it. */
  async land(localState: LocalState): Promise<Answer> {
    this.#watched = true;
    if (this.#phase !== undefined) this.#deps.control.enter(this.#phase);
    const answer = await this.answered;
    await localState.settle(this.#done.packed, answer);
    return answer;
  }

  async #send({ ticket, deadline }: Work): Promise<Answer> {
    const { manifest, report, inspection, control } = this.#deps;
    const { packed, body, steps } = this.#done;
    const say = (phase: Phase) => {
      this.#phase = phase;
      if (this.#watched) control.enter(phase);
    };
    const answer = await sendUntil(this.#deps, ticket, body, packed.frame, deadline, say);
    this.#phase = undefined;
    if (answer instanceof ProtocolError)
      report({ type: "refused", code: answer.code, message: answer.message });
    if (answer !== "taken") return answer;
    inspection?.sent(packed.frame, steps);
    const tokens = ticketTokens({ ...ticket, steps }, manifest.model.context);
    const delta = await sha256(packed.frame);
    report({ type: "sent", bytes: body.length, version: ticket.version, tokens, ticket: ticket.id, delta });
    return answer;
  }
}
