import type { Range } from "../../model/batches.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { forgetOldest } from "../oldest.ts";
import type { Accepted, DurableEvent } from "../rounds/events.ts";
import type { Rules } from "../rounds/rules.ts";
import type { Store } from "../store/store.ts";
import { decodeRecord } from "./record.ts";

/** Merged deltas remembered: more than the tripwire's look-back merges at the default quorum. */
const MOST = 512;
/** Of those, the newest that one roll-back has audited again: the harm is seldom old. */
const MOST_BLAMED = 96;

/** A delta that may have harmed the model, and what an audit of it needs. */
export interface Blamed {
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  readonly range: Range & { readonly shard: Hash };
  /** Undefined where the journal holds it no more. */
  frame(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

interface Late extends Pick<Accepted, "ticket" | "volunteer" | "tokens" | "position"> {
  readonly sequence: number;
  /** The version it was merged into, once it was. */
  into?: number;
}

/** Who had a part in the newest versions, and where the journal has it. A restart forgets it. */
export class LateMerges {
  readonly #store: Store;
  readonly #late = new Map<TicketId, Late>();

  constructor(store: Store) {
    this.#store = store;
  }

  add(event: DurableEvent, sequence: number): void {
    if (event.type === "accepted") {
      const { ticket, volunteer, tokens, position } = event;
      this.#late.set(ticket, { ticket, volunteer, tokens, position, sequence });
      forgetOldest(this.#late, MOST);
    } else if (event.type === "closed") {
      for (const { ticket } of event.merged) {
        const late = this.#late.get(ticket);
        if (late !== undefined) late.into = event.version + 1;
      }
    }
  }

  /** What was merged into versions after `version`, the newest first. */
  after(version: number, { ranges, batch, context }: Rules): Blamed[] {
    const merged = [...this.#late.values()].filter(({ into }) => (into ?? 0) > version);
    return merged
      .reverse()
      .slice(0, MOST_BLAMED)
      .map(({ ticket, volunteer, tokens, position, sequence }) => ({
        ticket,
        volunteer,
        range: {
          ...ranges.at(position),
          seed: ranges.seedOf(position),
          steps: tokens / (batch * context),
          batch,
        },
        frame: async () => {
          const { frame } = decodeRecord(await this.#store.read(sequence));
          return frame.length === 0 ? undefined : frame;
        },
      }));
  }
}
