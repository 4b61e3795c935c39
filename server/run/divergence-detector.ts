import type { Hash } from "../../protocol/ids.ts";
import type { RolledBack } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import type { Auditor } from "../evaluate/ports.ts";
import { harmless, reachable } from "../trust/tripwire.ts";
import type { Audits } from "./audits.ts";
import type { SnapshotPlace } from "./checkpoint.ts";
import { numbersFrom } from "./draws.ts";
import type { RunDefinition } from "./genesis.ts";
import type { RunOptions } from "./options.ts";

/** Tickets' texts that versions are compared on, and micro-batches of each. */
const TEXTS = 4;
const BATCHES = 2;
/** Versions without another look after one that found nothing wrong, unless the loss rises as far once more. */
const QUIET = 8;

/** The part of a run that the detector needs. */
export interface WatchedRun {
  readonly definition: Pick<RunDefinition, "task" | "delta" | "rules">;
  readonly state: State;
  /** Versions stored whole, oldest first. */
  readonly stored: readonly SnapshotPlace[];
  snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined>;
  rollBack(to: number, reason: RolledBack["reason"]): Promise<void>;
}

/**
 * Acts when held-out loss has risen past the threshold. That does not say why: the versions that are stored whole
 * and the current one are measured again, on train text that is drawn then, and the run goes back to the best of them
 * if the current one is much worse there too. Otherwise it goes on, and the log says so. Where the run has no audits, or
 * its auditor fails, it goes back as far as the tripwire says, or as something is stored.
 */
export class DivergenceDetector {
  readonly #run: WatchedRun;
  readonly #audits: Audits | undefined;
  readonly #options: Pick<RunOptions, "corpus" | "random" | "log">;
  #busy = false;
  /** When nothing was found wrong last: the version, and its held-out loss. */
  #quiet: { readonly version: number; readonly loss: number } | undefined;

  constructor(
    run: WatchedRun,
    audits: Audits | undefined,
    options: Pick<RunOptions, "corpus" | "random" | "log">,
  ) {
    this.#run = run;
    this.#audits = audits;
    this.#options = options;
  }

  /** Rejects where the run should go back and cannot. */
  async onDivergence(to: number): Promise<void> {
    const newest = this.#run.state.heldOut.at(-1);
    if (this.#busy || newest === undefined || this.#expected(newest)) return;
    this.#busy = true;
    const { floor } = this.#run.state;
    try {
      const back = await this.#wayBack(to);
      if (this.#run.state.floor !== floor) return; // the operator was faster: what was measured is no more
      if (back !== undefined) return await this.#run.rollBack(back, "held-out loss");
      this.#quiet = newest;
      const { version, loss } = newest;
      this.#options.log.warn(
        { version, loss, lowest: to },
        "held-out loss has risen far, but no stored version is better on what is trained on: the run goes on as it is",
      );
    } finally {
      this.#busy = false;
    }
  }

  #expected({ version, loss }: { version: number; loss: number }): boolean {
    if (this.#quiet === undefined) return false;
    const risen = loss > this.#quiet.loss * (1 + this.#run.definition.rules.tripwire);
    return !risen && version < this.#quiet.version + QUIET;
  }

  async #wayBack(to: number): Promise<number | undefined> {
    const { definition, stored } = this.#run;
    const bound = definition.rules.tripwire;
    try {
      const found = await this.#audits?.urgent((auditor) => this.#measure(auditor, stored));
      if (found !== undefined) return harmless(found.stored, found.current, bound)?.version;
    } catch (error) {
      this.#options.log.error({ error: String(error) }, "versions could not be measured on train text");
    }
    const versions = this.#run.stored.map(({ version }) => version);
    return reachable(versions, to, this.#run.state.heldOut, bound);
  }

  /** Mean losses of stored versions, and of the current one as it is by then: the same text for all. */
  async #measure(auditor: Auditor, places: readonly SnapshotPlace[]) {
    const current = await this.#weights(this.#run.state.hash);
    if (current === undefined) return undefined;
    const texts = await Promise.all(Array.from({ length: TEXTS }, () => this.#draw()));
    const stored: { version: number; loss: number }[] = [];
    let now = 0;
    for (const { version, hash } of places) {
      const weights = await this.#weights(hash);
      if (weights === undefined) continue;
      const delta = weights.map((value, i) => value - current[i]!);
      let [loss, after] = [0, 0];
      for (const text of texts) {
        const about = { weights, delta, codec: this.#run.definition.delta, batches: BATCHES };
        const { assigned } = await auditor.audit({ ...text, ...about });
        loss += assigned.before / TEXTS;
        after += assigned.after / TEXTS;
      }
      stored.push({ version, loss });
      now = after;
    }
    return { stored, current: now };
  }

  async #draw() {
    const { ranges, batch } = this.#run.definition.rules;
    const seed = numbersFrom(this.#options.random)();
    const position = ranges.positionFor(seed);
    const range = { ...ranges.at(position), seed: ranges.seedOf(position), steps: BATCHES, batch };
    const bytes = await this.#options.corpus.shard(range.shard);
    const shard = new Uint16Array(bytes.slice().buffer);
    return { ticket: { ...range, rates: [], fresh: false }, shard, seed };
  }

  async #weights(hash: Hash): Promise<Float32Array<ArrayBuffer> | undefined> {
    const file = await this.#run.snapshot(hash);
    return file && this.#run.definition.task.decode(file);
  }
}
