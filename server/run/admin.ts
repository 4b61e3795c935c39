import type { RunCard } from "../../protocol/card.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { RunState } from "../../protocol/manifest.ts";
import type { Tuning } from "../../protocol/operator.ts";
import type { Ruled } from "../coordinator/events.ts";
import { keepCard } from "./card.ts";
import type { Drain } from "./drain.ts";
import type { LiveRun } from "./live-run.ts";
import type { RunOptions } from "./options.ts";
import { tune, tuningOf } from "./tuning.ts";

/** An operator's actions on a run. */
export class Admin {
  readonly #run: LiveRun;
  readonly #drain: Drain;
  readonly #options: Pick<RunOptions, "store">;

  constructor(run: LiveRun, drain: Drain, options: Pick<RunOptions, "store">) {
    this.#run = run;
    this.#drain = drain;
    this.#options = options;
  }

  /** Whether outstanding tickets may come back and no other is given out. */
  get draining(): boolean {
    return this.#drain.on && this.#run.state.phase === "running";
  }

  /** Versions stored whole, newest first. */
  get snapshots(): readonly number[] {
    return this.#run.versions.stored.map(({ version }) => version).reverse();
  }

  /** The settings that an operator may change now. */
  get tuning(): Tuning {
    return tuningOf(this.#run.definition.settings);
  }

  /** Pauses a run that is drained. Call it at every tick. */
  tick(): void {
    if (this.draining && this.#run.drained) void this.pause().catch(() => {}); // the next tick tries again
  }

  /** Keeps everything and gives no work out. A finished run stays finished. */
  async pause(): Promise<void> {
    await this.#change("paused");
    await this.#drain.set(false);
  }

  async resume(): Promise<void> {
    await this.#drain.set(false);
    await this.#change("running");
  }

  /** Gives no ticket any more, and pauses once every one that is out has come back or expired; a restart knows it. */
  async drain(): Promise<void> {
    if (this.#run.state.phase === "running") await this.#drain.set(true);
  }

  /** Ends the run for good: deltas that wait are discarded, visibly. */
  finish(): Promise<void> {
    return this.#change("finished");
  }

  /**
   * Publishes a new version with the weights of an earlier one, which must be among {@link Admin.snapshots}.
   * Deltas that wait are discarded. Rejects with `not-found` for another version.
   */
  async rollback(version: number): Promise<void> {
    if (!this.snapshots.includes(version)) {
      throw new ProtocolError("not-found", "there is no such stored version (any more)");
    }
    await this.#run.publisher.rollBack(version, "operator");
  }

  /** Takes nothing more of a volunteer. */
  ban(volunteer: VolunteerKey): Promise<void> {
    return this.#rule(volunteer, "banned");
  }

  /** Takes a volunteer back, as a newcomer. */
  forgive(volunteer: VolunteerKey): Promise<void> {
    return this.#rule(volunteer, "forgiven");
  }

  /** Changes settings from now on, durably. Throws a SettingsError. */
  async tune(changes: Partial<Tuning>): Promise<void> {
    this.#run.tune(await tune(this.#options.store, this.#run.definition.settings, changes));
  }

  /** Says something else of the run from now on, durably. */
  async describe(card: RunCard): Promise<void> {
    await keepCard(this.#options.store, card);
    this.#run.tune({ ...this.#run.definition.settings, card });
  }

  /** Has text that the corpus has by now come in at the next boundary. */
  takeText(): void {
    this.#run.tune();
    this.#run.tick();
  }

  #rule(volunteer: VolunteerKey, ruling: Ruled["ruling"]): Promise<void> {
    return this.#run.events.record({ type: "ruled", at: this.#run.clock.now(), volunteer, ruling });
  }

  async #change(state: RunState): Promise<void> {
    const { phase } = this.#run.state;
    if (phase === state || phase === "finished") return;
    await this.#run.events.record({ type: "state", at: this.#run.clock.now(), state });
  }
}
