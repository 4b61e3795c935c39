import type { Signer } from "../../protocol/identity.ts";
import type { Upload } from "../../protocol/upload.ts";
import type { Candidate } from "../trust/candidate.ts";
import type { Gauge } from "../trust/gauge.ts";
import { isOdd } from "../trust/tripwire.ts";
import type { Audits } from "./audits.ts";
import { type AuditedRun, auditsOf } from "./audits-of.ts";
import { DivergenceDetector, type WatchedRun } from "./divergence-detector.ts";
import { Evaluations, type Measured } from "./evaluations.ts";
import type { EventLog } from "./event-log.ts";
import type { RunDefinition } from "./genesis.ts";
import { type HarmSamples, samplesOf } from "./harm-samples.ts";
import type { RunOptions } from "./options.ts";
import type { PublishedVersions } from "./published-versions.ts";
import type { Publisher } from "./publisher.ts";
import { type Late, mergedOf, type RecentDeltas } from "./recent-deltas.ts";
import type { RunClock } from "./run-clock.ts";
import type { VolunteerAudits } from "./volunteer-audits.ts";

export interface QualityParts {
  readonly options: RunOptions;
  readonly definition: () => RunDefinition;
  readonly signer: Signer;
  readonly clock: RunClock;
  readonly events: EventLog;
  readonly late: RecentDeltas;
  readonly versions: PublishedVersions;
  readonly publisher: Pick<Publisher, "rollBack">;
}

/** How good versions and deltas are: held-out evaluations, audits, and what is done when a run diverges. */
export class Quality {
  readonly #parts: QualityParts;
  readonly #evaluations: Evaluations | undefined;
  readonly #audits: Audits | undefined;
  readonly #detector: DivergenceDetector;
  readonly #samples: HarmSamples | undefined;
  #stopped = false;

  constructor(parts: QualityParts) {
    const { options, definition, signer, clock, events, versions, publisher } = parts;
    const run: WatchedRun & AuditedRun = {
      signer,
      get definition() {
        return definition();
      },
      get state() {
        return events.state;
      },
      get stored() {
        return versions.stored;
      },
      now: () => clock.now(),
      snapshot: (hash) => versions.snapshot(hash),
      placeOf: (version, hash) => versions.placeOf(version, hash),
      record: (event) => events.record(event),
      rollBack: (to, reason) => publisher.rollBack(to, reason),
    };
    this.#parts = parts;
    this.#evaluations =
      options.evaluator &&
      new Evaluations(options.evaluator, this.#measured, options.log, options.helpers, (loss) =>
        isOdd(events.state.heldOut, loss, definition().rules.tripwire),
      );
    this.#audits = auditsOf(run, options);
    this.#detector = new DivergenceDetector(run, this.#audits, options);
    this.#samples = this.#audits && samplesOf(run, this.#audits, options);
    const { heldOut, version, tokens } = events.state;
    if ((heldOut.at(-1)?.version ?? -1) < version) this.evaluate(version, tokens);
  }

  /** Measures deltas; only where audits can clear the volunteers it suspects. */
  get gauge(): Gauge | undefined {
    return this.#audits?.gauge;
  }

  /** Volunteers that audit, where the run has any do so. */
  get volunteers(): VolunteerAudits | undefined {
    return this.#audits?.volunteers;
  }

  /** Has the current version measured on held-out text, when there is time. */
  evaluate(version: number, tokens: number): void {
    if (this.#stopped) return;
    const { versions, events } = this.#parts;
    const { hash } = events.state;
    const place = () => versions.placeOf(version, hash);
    this.#evaluations?.offer({ version, tokens, weights: versions.current.vectors.x, place });
  }

  /** Considers a delta that was just accepted for an audit. */
  audit(upload: Upload, delta: Candidate): void {
    if (!this.#stopped) this.#audits?.consider(upload, delta);
  }

  /** Considers what the deltas of a version did that was just published. */
  weigh(version: number): void {
    const { late, definition, options, versions } = this.#parts;
    const merged = late.kept.filter(({ into }) => into === version);
    const { x } = versions.current.vectors;
    const made = { version, merged, weights: async () => x, diff: () => versions.diff(version - 1) };
    const weightsAt = (at: number) => versions.weightsAt(at);
    const lookAt = (one: Late) => mergedOf(one, options.store, definition().rules, weightsAt);
    if (!this.#stopped) void this.#samples?.consider({ ...made, lookAt });
  }

  /** Has what roll-backs blame audited: after one, and after a start that finds some unanswered. */
  inquire(): void {
    const { late, definition, options, versions } = this.#parts;
    const weightsAt = (version: number) => versions.weightsAt(version);
    this.#audits?.merged.blame(late.blamed(options.store, definition().rules, weightsAt));
    for (const [version, merged] of late.undone) {
      const diff = () => versions.diff(version - 1);
      void this.#samples?.blame({ version, merged, weights: () => weightsAt(version), diff });
    }
  }

  /** Held-out loss has risen since `to`. Rejects where the run should go back and cannot. */
  diverged(to: number): Promise<void> {
    return this.#detector.onDivergence(to);
  }

  stop(): void {
    this.#stopped = true;
    this.#evaluations?.stop();
    this.#audits?.stop();
  }

  readonly #measured = (result: Measured): void => {
    const { options, clock, events } = this.#parts;
    events
      .record({ type: "evaluated", at: clock.now(), ...result })
      .catch((error: unknown) =>
        options.log.warn({ error: String(error) }, "an evaluation could not be kept"),
      );
  };
}
