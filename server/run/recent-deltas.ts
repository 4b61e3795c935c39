import type { Range } from "../../model/data/batches.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Accepted, DurableEvent } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import type { Rules } from "../coordinator/rules.ts";
import { forgetOldest } from "../lib/oldest.ts";
import type { Store } from "../store/store.ts";
import { decodeRecord } from "./record.ts";

/** Accepted deltas remembered: more than the divergence detector's look-back merges at the default quorum. */
const MAX_REMEMBERED = 512;
/** Deltas, the newest, that one roll-back has audited again: the harm is seldom old. */
export const MAX_BLAMED = 96;

/** A delta that was merged, and what an audit of it needs. */
export interface Merged {
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  /** Of its text; `done` of the steps were. */
  readonly range: Range & Pick<TicketTerms, "shard" | "inner"> & { readonly done: number };
  /** The weights that it was made for; undefined where they cannot be had any more. */
  origin(): Promise<Float32Array<ArrayBuffer> | undefined>;
  /** Undefined where the journal holds it no more. */
  frame(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** One that may have harmed the model so that the run went back. */
export interface Blamed extends Merged {
  /** The weights that came back: it is audited on them. */
  readonly on: Hash;
  /** Whether no audit has answered for it meanwhile. */
  open(): boolean;
}

type WeightsAt = (version: number) => Promise<Float32Array<ArrayBuffer> | undefined>;

/** An audit for a roll-back: the weights that came back, and the version that the delta was made for. */
export interface Asked {
  readonly on: Hash;
  readonly from: number;
}

/** An accepted delta, as it is remembered. */
export interface Late extends Pick<Accepted, "ticket" | "volunteer" | "tokens" | "position" | "asked"> {
  /** Its place in the journal. */
  readonly sequence: number;
  /** Its ticket's version; a checkpoint of an earlier release does not know it. */
  readonly from?: number;
  /** The version it was merged into, while that is in the model: nobody is blamed again for what was taken back. */
  readonly into?: number;
  /** From a roll-back until its audit: the weights that came back. */
  readonly blamedOn?: Hash;
  /** From a roll-back until what it did there was measured: the version that it was merged into. */
  readonly was?: number;
}

/**
 * The deltas of the newest versions, and those still to be audited for a roll-back. It follows from the
 * journal, so that a restart neither ends an inquiry nor makes the next one blind.
 */
export class RecentDeltas {
  readonly #late: Map<TicketId, Late>;

  constructor(kept: readonly Late[] = []) {
    this.#late = new Map(kept.map((late) => [late.ticket, late]));
  }

  /** Oldest first. */
  get kept(): readonly Late[] {
    return [...this.#late.values()];
  }

  /** Weights that open inquiries look at. */
  get asked(): readonly Asked[] {
    return this.kept.flatMap(({ blamedOn: on, from }) =>
      on === undefined || from === undefined ? [] : [{ on, from }],
    );
  }

  /** Deltas of versions that a roll-back took back, whose effects nobody has measured since; the newest version first. */
  get undone(): ReadonlyMap<number, readonly Late[]> {
    const undone = this.kept.filter(({ was }) => was !== undefined);
    return Map.groupBy(undone.toReversed(), ({ was }) => was!);
  }

  /** One journal record, and the deltas whose fate it decided. */
  add(event: DurableEvent, sequence: number, ended: readonly Outcome[]): void {
    for (const { ticket, version } of ended) if (version !== null) this.#change(ticket, { into: version });
    if (event.type === "accepted") {
      const { ticket, volunteer, tokens, position, version: from, asked } = event;
      const late = { ticket, volunteer, tokens, position, from, sequence, ...(asked && { asked }) };
      this.#late.set(ticket, late);
      this.#forget();
    } else if (event.type === "rolled-back") {
      const undone = this.kept.filter(({ into }) => into !== undefined && into > event.to);
      for (const { into: _, ...rest } of undone) this.#late.set(rest.ticket, rest);
      if (event.reason !== "held-out loss") return;
      for (const { ticket, into } of undone.slice(-MAX_BLAMED)) {
        this.#change(ticket, { blamedOn: event.hash, ...(into !== undefined && { was: into }) });
      }
    } else if (event.type === "sampled") {
      for (const { ticket } of event.effects) {
        const late = this.#late.get(ticket);
        if (late?.was !== event.version) continue;
        const { was: _, ...rest } = late;
        this.#late.set(ticket, rest);
      }
    } else if (event.type === "audited") {
      const late = this.#late.get(event.ticket);
      if (late?.blamedOn === undefined) return;
      // A good word from before the roll-back, of other weights, does not answer for it.
      if (event.verdict !== "bad" && event.on !== late.blamedOn) return;
      const { blamedOn: _, ...rest } = late;
      this.#late.set(event.ticket, rest);
    }
  }

  /** Deltas that roll-backs blame and no audit has cleared, the newest first; `weightsAt` gives a version's weights. */
  blamed(store: Pick<Store, "read">, rules: Rules, weightsAt: WeightsAt): Blamed[] {
    return this.kept.toReversed().flatMap((late) => {
      const { ticket, blamedOn: on } = late;
      if (on === undefined) return [];
      const open = () => this.#late.get(ticket)?.blamedOn === on;
      return [{ ...mergedOf(late, store, rules, weightsAt), on, open }];
    });
  }

  /** Blamed deltas stay twice as long: a crowd sends as many again before audits have come to all of them. */
  #forget(): void {
    let over = this.#late.size - MAX_REMEMBERED;
    for (const { ticket, blamedOn } of this.#late.values()) {
      if (over-- <= 0) break;
      if (blamedOn === undefined) this.#late.delete(ticket);
    }
    forgetOldest(this.#late, 2 * MAX_REMEMBERED);
  }

  #change(ticket: TicketId, change: Partial<Late>): void {
    const late = this.#late.get(ticket);
    if (late !== undefined) this.#late.set(ticket, { ...late, ...change });
  }
}

/** What an audit needs of a delta that was merged; `weightsAt` gives a version's weights. */
export function mergedOf(
  { ticket, volunteer, tokens, position, from, sequence, asked }: Late,
  store: Pick<Store, "read">,
  { ranges, batch: usual, context }: Pick<Rules, "ranges" | "batch" | "context">,
  weightsAt: WeightsAt,
): Merged {
  const batch = asked?.batch ?? usual;
  const done = tokens / (batch * context);
  const drawn = { seed: ranges.seedOf(position), steps: asked?.steps ?? done, batch };
  const inner = asked && { inner: asked.inner };
  return {
    ...{ ticket, volunteer },
    range: { ...ranges.at(position), ...drawn, done, ...inner },
    origin: async () => (from === undefined ? undefined : weightsAt(from)),
    frame: async () => {
      const { frame: bytes } = decodeRecord(await store.read(sequence));
      return bytes.length === 0 ? undefined : bytes;
    },
  };
}
