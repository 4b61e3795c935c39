import { ProtocolError } from "../../protocol/errors.ts";
import type { PersonId } from "../../protocol/ids.ts";
import { forgetOldest } from "../lib/oldest.ts";
import { CARD_RATE, CARDS_RATE, MAX_CARDS, MAX_RATE_ENTRIES } from "../net/limits.ts";
import { RateLimiter } from "../net/rate.ts";
import { type ShareCard, shareCard } from "./share-card.ts";

/** Milliseconds that a card is given out before it is drawn again: its number grows. */
export const CARD_MS = 300_000;

interface Drawn {
  readonly at: number;
  /** What it says beside the number. */
  readonly about: string;
  readonly png: Uint8Array<ArrayBuffer>;
}

/**
 * The cards of people. To draw one takes the process some 12 ms in which it answers nobody, so each is drawn once for
 * all who ask within some minutes, each network may have only so many drawn, and all networks together too.
 */
export class ShareCards {
  readonly #now: () => number;
  readonly #networks: RateLimiter;
  readonly #all: RateLimiter;
  readonly #drawn = new Map<PersonId, Drawn>();

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#networks = new RateLimiter(CARD_RATE, MAX_RATE_ENTRIES, now);
    this.#all = new RateLimiter(CARDS_RATE, 1, now);
  }

  /** As PNG, drawn for `network` where none is kept. Throws `too-many-requests`. */
  of(id: PersonId, card: ShareCard, network: string): Uint8Array<ArrayBuffer> {
    const about = JSON.stringify([card.name, card.run]);
    const kept = this.#drawn.get(id);
    const old = kept?.about === about ? kept : undefined;
    if (old !== undefined && this.#now() - old.at < CARD_MS) return old.png;
    try {
      this.#networks.take(network);
      this.#all.take("all");
    } catch (error) {
      // A number that is minutes old is better than no picture.
      if (old !== undefined && error instanceof ProtocolError) return old.png;
      throw error;
    }
    const png = shareCard(card);
    this.#drawn.delete(id);
    this.#drawn.set(id, { at: this.#now(), about, png });
    forgetOldest(this.#drawn, MAX_CARDS);
    return png;
  }
}
