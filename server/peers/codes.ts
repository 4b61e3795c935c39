import { CODE_MS, type CodeAnswer, type CodeRequest, type Note } from "../../protocol/code.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { PerNetworkQuota } from "../net/per-network-quota.ts";

/** Boxes at once, of about 1 KiB. */
const MAX_BOXES = 1_000;
/** Of them, those of one network: a class that does it together. */
const MAX_OF_NETWORK = 64;

interface Box {
  readonly opened: number;
  readonly owner: VolunteerKey;
  readonly network: string | undefined;
  knocked: { readonly by: VolunteerKey; readonly note: Note } | undefined;
  /** What is handed over, until it is given out. */
  hand: Note | undefined;
  taken: boolean;
}

/**
 * The boxes in which two pages meet (rule U6), in memory alone. Each is one key's, takes one knock, gives one note out once,
 * and is gone after two minutes.
 */
export class Codes {
  readonly #now: () => number;
  /** In the order of their opening. */
  readonly #boxes = new Map<PeerId, Box>();
  readonly #networks = new PerNetworkQuota(MAX_OF_NETWORK);

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    this.#expire();
    return this.#boxes.size;
  }

  /** Throws `not-found` where there is no such box, or none of the asker's; `code-used`; `too-many-requests`. */
  take(asker: VolunteerKey, request: CodeRequest, network?: string): CodeAnswer {
    this.#expire();
    const known = this.#boxes.get(request.box);
    if ("open" in request && known === undefined)
      return this.#answer(this.#open(asker, request.box, network));
    if (known === undefined) throw gone();
    if ("knock" in request) return this.#knock(known, asker, request.knock);
    if (known.owner !== asker) throw gone();
    if ("hand" in request) hand(known, request.hand);
    return { ...this.#answer(known), knock: known.knocked?.note ?? null };
  }

  #open(owner: VolunteerKey, name: PeerId, network: string | undefined): Box {
    // A page that begins again has no use for its earlier code.
    for (const [other, box] of this.#boxes) if (box.owner === owner) this.#remove(other, box);
    const box = { opened: this.#now(), owner, network, knocked: undefined, hand: undefined, taken: false };
    if (this.#boxes.size >= MAX_BOXES || !this.#networks.take(network)) {
      throw new ProtocolError("too-many-requests", "too many codes are shown just now", CODE_MS);
    }
    this.#boxes.set(name, box);
    return box;
  }

  #knock(box: Box, by: VolunteerKey, note: Note): CodeAnswer {
    box.knocked ??= { by, note };
    if (box.knocked.by !== by || box.knocked.note !== note || box.taken) {
      throw new ProtocolError("code-used", "this code was used already");
    }
    const { hand } = box;
    if (hand !== undefined) {
      box.hand = undefined;
      box.taken = true;
    }
    return { ...this.#answer(box), hand: hand ?? null };
  }

  #answer(box: Box): CodeAnswer {
    const left = Math.max(0, Math.ceil(box.opened + CODE_MS - this.#now()));
    return { left, knock: null, hand: null, taken: box.taken };
  }

  #expire(): void {
    for (const [name, box] of this.#boxes) {
      if (this.#now() - box.opened < CODE_MS) return;
      this.#remove(name, box);
    }
  }

  #remove(name: PeerId, { network }: Box): void {
    this.#boxes.delete(name);
    this.#networks.give(network);
  }
}

/** Only after a knock, and once. */
function hand(box: Box, note: Note): void {
  if (box.knocked === undefined || box.hand !== undefined || box.taken) {
    throw new ProtocolError("code-used", "there is nobody to hand it to");
  }
  box.hand = note;
}

const gone = () => new ProtocolError("not-found", "there is no such code (any more)");
