import { messageOf } from "../../model/lib/message-of.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, parseJson } from "../../protocol/guards.ts";
import { isVolunteerKey, type VolunteerKey } from "../../protocol/ids.ts";
import { MAX_LINKED } from "../../protocol/link.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { WrittenFiles } from "./written-files.ts";

/** Beside the journal, as names are: a link is theirs to take back, and the journal forgets nothing. */
const FILE = "links.json";
/** Keys in links, about 50 bytes each in the file. Each has a merged delta, so nobody fills it with fresh keys. */
const MAX_KEYS = 10_000;

/**
 * Which keys are one person's (rule U5). Sets of keys and no graph: a second link between two of a set changes nothing.
 * Trust knows nothing of them: strikes, gauges and weights are each key's own.
 */
export class Links {
  readonly #files: WrittenFiles;
  readonly #people: Map<VolunteerKey, ReadonlySet<VolunteerKey>>;

  private constructor(files: WrittenFiles, people: Map<VolunteerKey, ReadonlySet<VolunteerKey>>) {
    this.#files = files;
    this.#people = people;
  }

  /** Rejects with a StoreError where the file is damaged. Of who is `forgotten` nothing is taken from it. */
  static async open(
    store: Store,
    files: WrittenFiles,
    forgotten: (volunteer: VolunteerKey) => boolean,
  ): Promise<Links> {
    const people = new Map<VolunteerKey, ReadonlySet<VolunteerKey>>();
    const file = await store.get("run", FILE);
    if (file === undefined) return new Links(files, people);
    try {
      for (const person of asArray(parseJson(file).people, "people", MAX_KEYS)) {
        const keys = asArray(person, "a person", MAX_LINKED).map((key) => as(isVolunteerKey, key, "a key"));
        const kept = new Set(keys.filter((key) => !forgotten(key)));
        if (kept.size > 1) for (const key of kept) people.set(key, kept);
      }
    } catch (error) {
      throw new StoreError(`${FILE}: ${messageOf(error)}`);
    }
    return new Links(files, people);
  }

  /** All keys of a key's person, its own among them. */
  keysOf(volunteer: VolunteerKey): ReadonlySet<VolunteerKey> {
    return this.#people.get(volunteer) ?? new Set([volunteer]);
  }

  /** Makes one person of two keys' persons; durable when it resolves. Throws `bad-request`, `no-space`. */
  async join(one: VolunteerKey, other: VolunteerKey): Promise<void> {
    const keys = new Set([...this.keysOf(one), ...this.keysOf(other)]);
    if (keys.size > MAX_LINKED) {
      throw new ProtocolError("bad-request", `one person links ${MAX_LINKED} keys at most`);
    }
    const added = [...keys].filter((key) => !this.#people.has(key)).length;
    if (this.#people.size + added > MAX_KEYS) {
      throw new ProtocolError("no-space", "this server keeps no more links: ask its operator");
    }
    for (const key of keys) this.#people.set(key, keys);
    await this.#write(); // also where nothing is new: an earlier write may have failed
  }

  /** Takes these keys out of whatever they are linked with; durable when it resolves. */
  async leave(...volunteers: readonly VolunteerKey[]): Promise<void> {
    let changed = false;
    for (const volunteer of volunteers) {
      const keys = this.#people.get(volunteer);
      if (keys === undefined) continue;
      changed = true;
      this.#people.delete(volunteer);
      const left = new Set([...keys].filter((key) => key !== volunteer));
      for (const key of left) {
        if (left.size > 1) this.#people.set(key, left);
        else this.#people.delete(key);
      }
    }
    if (changed || this.#files.isBehind(FILE)) await this.#write();
  }

  #write(): Promise<void> {
    return this.#files.write(FILE, () => ({
      people: [...new Set(this.#people.values())].map((keys) => [...keys]),
    }));
  }
}
