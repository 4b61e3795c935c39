import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, asObject, parseJson } from "../../protocol/guards.ts";
import { isVolunteerKey, type VolunteerKey } from "../../protocol/ids.ts";
import { type Leader, MAX_LEADERS, nameKey, normaliseName } from "../../protocol/people.ts";
import { type Store, StoreError } from "../store/store.ts";

/**
 * What people asked of us about themselves: the names they gave themselves, and who wants to be forgotten.
 * Beside the journal and not in it, since it is theirs to take back, and the journal forgets nothing.
 */
const FILE = "people.json";
/** Names kept. Each took a merged delta, so nobody fills this with fresh keys. */
const MAX_NAMES = 2_000;
const MAX_FORGOTTEN = 100_000;
/** The leaders are put together this often at most, in milliseconds. */
const LEADERS_FOR_MS = 5_000;

type Credit = (volunteer: VolunteerKey) => { readonly tokens: number; readonly recent: number };

export class People {
  readonly #store: Store;
  readonly #names: Map<VolunteerKey, string>;
  readonly #forgotten: Set<VolunteerKey>;
  #tail: Promise<void> = Promise.resolve();
  #leaders: { readonly at: number; readonly list: readonly Leader[] } | undefined;

  private constructor(store: Store, names: Map<VolunteerKey, string>, forgotten: Set<VolunteerKey>) {
    this.#store = store;
    this.#names = names;
    this.#forgotten = forgotten;
  }

  /** Rejects with a StoreError where the file is damaged: it is somebody's word, and not ours to drop. */
  static async open(store: Store): Promise<People> {
    const file = await store.get("run", FILE);
    if (file === undefined) return new People(store, new Map(), new Set());
    try {
      const json = parseJson(file);
      const names = Object.entries(asObject(json.names, "names")).map(
        ([key, name]) => [keyOf(key), normaliseName(name)] as const,
      );
      return new People(
        store,
        new Map(names),
        new Set(asArray(json.forgotten, "forgotten", MAX_FORGOTTEN).map(keyOf)),
      );
    } catch (error) {
      throw new StoreError(`${FILE}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  nameOf(volunteer: VolunteerKey): string | undefined {
    return this.#names.get(volunteer);
  }

  isForgotten(volunteer: VolunteerKey): boolean {
    return this.#forgotten.has(volunteer);
  }

  /** Sets a name, or takes it away; durable when it resolves. Throws `bad-request` for one that cannot be. */
  async rename(volunteer: VolunteerKey, given: unknown): Promise<string | undefined> {
    if (given === null) {
      if (this.#names.delete(volunteer)) await this.#write();
      return undefined;
    }
    const name = normaliseName(given);
    const key = nameKey(name);
    const taken = [...this.#names].some(([whose, other]) => whose !== volunteer && nameKey(other) === key);
    if (taken) throw new ProtocolError("bad-request", "somebody has this name already, or one much like it");
    if (!this.#names.has(volunteer) && this.#names.size >= MAX_NAMES) {
      throw new ProtocolError("bad-request", "there are as many names as this server keeps");
    }
    this.#names.set(volunteer, name);
    await this.#write();
    return name;
  }

  /** Drops the name, and hides the credit for good; durable when it resolves. */
  async forget(volunteer: VolunteerKey): Promise<void> {
    this.#names.delete(volunteer);
    if (this.#forgotten.size < MAX_FORGOTTEN) this.#forgotten.add(volunteer);
    await this.#write();
  }

  /** Who gave themselves a name and has credit, most first; the banned are left out. */
  leaders(now: number, credit: Credit, banned: (volunteer: VolunteerKey) => boolean): readonly Leader[] {
    if (this.#leaders !== undefined && now - this.#leaders.at < LEADERS_FOR_MS) return this.#leaders.list;
    const list = [...this.#names]
      .filter(([volunteer]) => !banned(volunteer))
      .map(([volunteer, name]) => {
        const { tokens, recent } = credit(volunteer);
        return { name, tokens, recent };
      })
      .filter(({ tokens }) => tokens > 0)
      .sort((a, b) => b.tokens - a.tokens || (a.name < b.name ? -1 : 1))
      .slice(0, MAX_LEADERS);
    this.#leaders = { at: now, list };
    return list;
  }

  /** One write after another, each with all that is known by then. */
  #write(): Promise<void> {
    this.#leaders = undefined;
    const written = this.#tail.then(() => {
      const names = Object.fromEntries(this.#names);
      const text = JSON.stringify({ names, forgotten: [...this.#forgotten] });
      return this.#store.put("run", FILE, utf8(`${text}\n`), "secret");
    });
    this.#tail = written.catch(() => {}); // the caller is told
    return written;
  }
}

const keyOf = (key: unknown): VolunteerKey => as(isVolunteerKey, key, "a volunteer");
