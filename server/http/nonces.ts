import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";

/**
 * Nonces of ticket requests already answered (rule S2). Two generations of a bounded set: when the young one
 * is full it becomes the old one, and the old one is forgotten. What is forgotten, here or by a restart, can
 * be sent again, and then only leases one more ticket to the key that signed it; an upload's nonce is its
 * ticket's, and the journal remembers those.
 */
export class Nonces {
  readonly #half: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Remembers a nonce. Throws `nonce-reused` when this volunteer sent it before. */
  use(volunteer: VolunteerKey, nonce: TicketId): void {
    const used = `${volunteer}${nonce}`;
    if (this.#young.has(used) || this.#old.has(used)) {
      throw new ProtocolError("nonce-reused", "this request was made before: draw a new nonce");
    }
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(used);
  }
}
