import { ModelError } from "../../model/contract/config.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { MAX_LABEL, MAX_LOSS } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import type { RoundDeps } from "./deps.ts";
import type { LocalState, PackedDelta } from "./local-state.ts";
import type { Phase } from "./messages.ts";
import type { Work } from "./prefetch.ts";
import { type Answer, sendUntil } from "./send.ts";
import { type Trained, tell } from "./train.ts";

/** An upload, and what it is made of. */
interface Made {
  readonly packed: PackedDelta;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Inner steps. */
  readonly steps: number;
}

/** An upload on its way. Training may go on meanwhile; what is carried waits for {@link UploadInFlight.land}. */
export class UploadInFlight {
  /** Resolves when the server has answered, or the lease is over; rejects only when the visitor stops. */
  readonly answered: Promise<Answer>;
  readonly #deps: RoundDeps;
  readonly #made: Made;
  #phase: Phase | undefined;
  #watched = false;

  private constructor(deps: RoundDeps, work: Work, made: Made) {
    this.#deps = deps;
    this.#made = made;
    this.answered = this.#send(work);
    this.answered.catch(() => undefined); // whoever lands hears of it; a stop may come before
  }

  /**
   * Makes an upload of what was trained, once `before` has resolved, and sends it. Throws ModelErrors of the device, and
   * `not-finite` where the training led there: then nothing of the ticket is sent.
   */
  static async launch(
    deps: RoundDeps,
    localState: LocalState,
    work: Work,
    trained: Trained,
    before: () => Promise<unknown>,
  ): Promise<UploadInFlight> {
    const waiting = deps.clock();
    await before();
    const made = await make(deps, localState, work.ticket, trained, deps.clock() - waiting);
    await localState.sending(made.body);
    return new UploadInFlight(deps, work, made);
  }

  /** Waits for the answer, showing where the upload is, and carries on by it. */
  async land(localState: LocalState): Promise<Answer> {
    this.#watched = true;
    if (this.#phase !== undefined) this.#deps.control.enter(this.#phase);
    const answer = await this.answered;
    await localState.settle(this.#made.packed, answer);
    return answer;
  }

  async #send({ ticket, deadline }: Work): Promise<Answer> {
    const { manifest, report, inspection, control } = this.#deps;
    const { packed, body, steps } = this.#made;
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

/** `idle`: milliseconds since the steps began in which nothing was done. */
async function make(
  deps: RoundDeps,
  localState: LocalState,
  ticket: Ticket,
  { trainer, steps, trainMs, started, ...trained }: Trained,
  idle: number,
): Promise<Made> {
  const { manifest, clock, trainers, throughput } = deps;
  const packed = await localState.pack(trainer, ticket);
  const losses = [...trained.losses, ...(await trainer.losses())]; // the last ones came with the payload
  throughput.trained(ticketTokens({ ...ticket, steps }, manifest.model.context), clock() - started - idle);
  tell(deps, ticket, steps, steps, losses.at(-1), trainMs);
  const loss = losses.reduce((total, one) => total + one, 0) / losses.length;
  if (!Number.isFinite(loss)) throw new ModelError("not-finite", `the loss is ${loss}`);
  trainers.proved();
  const { device, detail } = trainer.report;
  const self = {
    loss: Math.min(loss, MAX_LOSS),
    trainMs: Math.round(trainMs),
    device: `${device}, ${detail}`.slice(0, MAX_LABEL),
    ...(ticket.trainFor !== undefined && { steps }),
  };
  const body = encodeUpload(ticket, self, await sentOf(manifest, ticket, packed.frame));
  return { packed, body, steps };
}

/** A frame as it is sent: packed where the server takes that, and where what packs it can be fetched. */
const sentOf = async (manifest: Manifest, ticket: Ticket, frame: Uint8Array<ArrayBuffer>) =>
  manifest.packed
    ? import("./payload-packing.ts").then(
        (part) => part.packedFor(manifest, ticket, frame),
        () => frame,
      )
    : frame;
