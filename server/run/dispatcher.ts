import { ProtocolError } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Pace } from "../../protocol/pace.ts";
import { signTicket, type Ticket } from "../../protocol/ticket.ts";
import { PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import { drawId } from "./draws.ts";
import type { LiveRun } from "./live-run.ts";
import type { RunOptions } from "./options.ts";
import type { ServerIdentity } from "./server-key.ts";

const REFUSALS = {
  "run-paused": "the operator has paused the run",
  "run-finished": "the run is finished",
  "no-work": "there is no text to hand out just now",
  quarantined: "a delta of this volunteer was found bad; nothing is taken from it for a while",
  banned: "the operator has banned this volunteer",
} as const;

export interface DispatcherParts {
  readonly run: Pick<LiveRun, "state" | "closed" | "waiting"> & {
    readonly clock: Pick<LiveRun["clock"], "now">;
    readonly events: Pick<LiveRun["events"], "take">;
    readonly publisher: Pick<LiveRun["publisher"], "settled" | "behind">;
  };
  readonly identity: Pick<ServerIdentity, "signer">;
  readonly random: RunOptions["random"];
  /** Whether the operator lets outstanding tickets come back, and gives out no other. */
  readonly draining: () => boolean;
}

/** Gives out tickets, and lets volunteers wait for theirs. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /**
   * Leases work to a volunteer, at once or when its turn comes, unless it is `gone` by then. Throws `run-paused`,
   * `run-finished`, `no-work`, `quarantined`, each with when to ask again.
   */
  async ticket(volunteer: VolunteerKey, pace: Pace, gone: () => boolean): Promise<Ticket> {
    const { run, identity, random, draining } = this.#parts;
    const ticket = drawId(random);
    const since = run.clock.now();
    for (;;) {
      if (draining() || run.closed) {
        throw new ProtocolError("run-paused", REFUSALS["run-paused"], PAUSED_RETRY_MS);
      }
      await run.publisher.settled();
      if (gone()) throw new ProtocolError("bad-request", "who asked for work has left");
      const asked = run.publisher.behind ? Number.NEGATIVE_INFINITY : since;
      const [effect] = run.events.take({ type: "asked", volunteer, ticket, pace, since: asked });
      if (effect?.type === "lease") return signTicket(identity.signer, effect.terms);
      if (effect?.type === "refuse") {
        throw new ProtocolError(effect.code, REFUSALS[effect.code], effect.retryAfterMs);
      }
      if (effect?.type !== "hold")
        throw new ProtocolError("internal-error", "a request for work went unanswered");
      await this.#nextVersion(effect.until, () => draining() || gone());
    }
  }

  /** Waits for the next version, until a time of the run clock, or until the run rests or the volunteer need not wait. */
  async #nextVersion(until: number, enough: () => boolean): Promise<void> {
    const { run } = this.#parts;
    const { version, phase } = run.state;
    const same = () => run.state.version === version && run.state.phase === phase;
    while (!run.closed && same() && run.clock.now() < until && !enough()) await run.waiting.next();
  }
}
