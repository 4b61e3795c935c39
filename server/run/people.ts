import { messageOf } from "../../model/lib/message-of.ts";
import { fromBase64Url } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, asObject, asText, parseJson } from "../../protocol/guards.ts";
import { isVolunteerKey, type PersonId, type VolunteerKey } from "../../protocol/ids.ts";
import { type Leader, MAX_LEADERS, normaliseName } from "../../protocol/people.ts";
import { KeptAnswer } from "../lib/kept-answer.ts";
import { type Store, StoreError } from "../store/store.ts";
import { MAX_KEPT_CHARS, nameKey, nameToday } from "./name-key.ts";
import { Pages } from "./pages.ts";
import { WrittenFiles } from "./written-files.ts";

/**
 * People's requests about themselves: the names they gave themselves, and which of them want to be forgotten.
 * Beside the journal and not in it, since it is theirs to take back, and the journal forgets nothing.
 */
const FILE = "people.json";
/** Names kept. Each took a merged delta, so nobody fills this with fresh keys. */
const MAX_NAMES = 2_000;
/** Keys kept as forgotten, about 100 bytes each in memory. Each sent a delta, so nobody fills this with fresh ones. */
const MAX_FORGOTTEN = 1_000_000;
/** Files that the forgotten are written to, by their keys: one more entry costs one part's writing. */
const PARTS = 64;
/** Milliseconds that a list of leaders is kept. */
const LEADERS_FOR_MS = 5_000;

type Credit = (volunteer: VolunteerKey) => { readonly tokens: number; readonly recent: number };

export class People {
  readonly #files: WrittenFiles;
  readonly #names: Map<VolunteerKey, string>;
  readonly #keys: Map<string, VolunteerKey>;
  readonly #pages: Pages;
  /** Those of each part that has any. */
  readonly #forgotten = new Map<string, Set<VolunteerKey>>();
  /** The forgotten of an earlier version, which kept them beside the names; they stay there. */
  readonly #early: readonly VolunteerKey[];
  readonly #most: number;
  readonly #leaders = new KeptAnswer<readonly Leader[]>(LEADERS_FOR_MS);

  private constructor(
    files: WrittenFiles,
    names: Map<VolunteerKey, string>,
    pages: Pages,
    early: readonly VolunteerKey[],
    most: number,
  ) {
    this.#pages = pages;
    this.#files = files;
    this.#names = names;
    this.#keys = new Map([...names].map(([volunteer, name]) => [nameKey(name), volunteer]));
    this.#early = early;
    this.#most = most;
    for (const volunteer of early) this.#partOf(volunteer).add(volunteer);
  }

  /** Rejects with a StoreError where a file is damaged: it is somebody's word, and not ours to drop. */
  static async open(store: Store, most = MAX_FORGOTTEN, files = new WrittenFiles(store)): Promise<People> {
    const file = await store.get("run", FILE);
    const parts = (await store.list("run")).filter((name) => PART_FILE.test(name));
    const read = await Promise.all(parts.map(async (name) => [name, await store.get("run", name)] as const));
    try {
      const json = file === undefined ? { names: {}, pages: {}, forgotten: [] } : parseJson(file);
      const names = Object.entries(asObject(json.names, "names")).map(
        ([key, name]) => [keyOf(key), asText(name, "a name", MAX_KEPT_CHARS)] as const,
      );
      const pages = Pages.from(asObject(json.pages ?? {}, "pages"));
      const early = asArray(json.forgotten, "forgotten", MAX_FORGOTTEN).map(keyOf);
      const people = new People(files, new Map(names), pages, early, most);
      for (const [name, bytes] of read) {
        if (bytes === undefined) continue;
        for (const key of asArray(parseJson(bytes).forgotten, name, MAX_FORGOTTEN)) {
          const volunteer = keyOf(key);
          people.#partOf(volunteer).add(volunteer);
        }
      }
      return people;
    } catch (error) {
      throw new StoreError(`${FILE}: ${messageOf(error)}`);
    }
  }

  nameOf(volunteer: VolunteerKey): string | undefined {
    return this.#names.get(volunteer);
  }

  isForgotten(volunteer: VolunteerKey): boolean {
    return this.#forgotten.get(partFileOf(volunteer))?.has(volunteer) === true;
  }

  /**
   * Sets a person's name, or takes it away: it is then with this one of its `keys`. Durable when it resolves. Throws
   * `bad-request` for one that cannot be.
   */
  async rename(
    volunteer: VolunteerKey,
    given: unknown,
    keys: ReadonlySet<VolunteerKey> = new Set([volunteer]),
  ): Promise<string | undefined> {
    if (given === null) {
      if (this.#drop(...keys) || this.#files.isBehind(FILE)) await this.#writeNames();
      return undefined;
    }
    const name = normaliseName(given);
    const key = nameKey(name);
    const whose = this.#keys.get(key);
    if (whose !== undefined && !keys.has(whose)) {
      throw new ProtocolError("bad-request", "somebody has this name already, or one much like it");
    }
    if (![...keys].some((one) => this.#names.has(one)) && this.#names.size >= MAX_NAMES) {
      throw new ProtocolError("bad-request", "there are as many names as this server keeps");
    }
    const page = [...keys].map((one) => this.#pages.of(one)).find((id) => id !== undefined);
    this.#drop(...keys);
    if (page !== undefined) this.#pages.set(volunteer, page);
    this.#names.set(volunteer, name);
    this.#keys.set(key, volunteer);
    await this.#writeNames();
    return name;
  }

  /** The page of a key that has a name. */
  pageOf(volunteer: VolunteerKey): PersonId | undefined {
    return this.#pages.of(volunteer);
  }

  /** The owner of a page, and the name that it shows. */
  ownerOf(page: PersonId): { readonly volunteer: VolunteerKey; readonly name: string } | undefined {
    const volunteer = this.#pages.ownerOf(page);
    const kept = volunteer && this.#names.get(volunteer);
    const name = kept && nameToday(kept);
    return volunteer && name ? { volunteer, name } : undefined;
  }

  /** Gives a named key a page, or takes it away; durable when it resolves. Throws `bad-request` without a name. */
  async setPage(volunteer: VolunteerKey, page: PersonId | undefined): Promise<void> {
    if (page === undefined) {
      if (this.#pages.drop(volunteer) || this.#files.isBehind(FILE)) await this.#writeNames();
      return;
    }
    if (!this.#names.has(volunteer)) throw new ProtocolError("bad-request", "a page is for who has a name");
    this.#pages.set(volunteer, page);
    await this.#writeNames();
  }

  /** Of the names of keys that become one person's, keeps one: the first that there is. Durable when it resolves. */
  async keepOneName(keys: ReadonlySet<VolunteerKey>): Promise<void> {
    const [, ...others] = [...keys].filter((key) => this.#names.has(key));
    if (this.#drop(...others)) await this.#writeNames();
    else this.#leaders.changed();
  }

  /**
   * Drops the names, and hides the credit for good; durable when it resolves. Throws `no-space` where there are as many
   * as this server keeps: then nothing is changed.
   */
  async forget(...volunteers: readonly VolunteerKey[]): Promise<void> {
    const fresh = volunteers.filter((one) => !this.isForgotten(one));
    const size = [...this.#forgotten.values()].reduce((sum, keys) => sum + keys.size, 0);
    if (fresh.length > 0 && size + fresh.length > this.#most) {
      throw new ProtocolError("no-space", "this server keeps no more of the forgotten: ask its operator");
    }
    for (const volunteer of fresh) this.#partOf(volunteer).add(volunteer);
    // Written again where one is known already: an earlier write may have failed.
    const kept = [...new Set(volunteers.map(partFileOf))].map((part) =>
      this.#files.write(part, () => ({ forgotten: [...(this.#forgotten.get(part) ?? [])] })),
    );
    const isNamed = this.#drop(...volunteers) || this.#files.isBehind(FILE);
    await Promise.all([...kept, isNamed ? this.#writeNames() : undefined]);
  }

  /** Volunteers with a name and credit, most first, without the banned. */
  leaders(now: number, credit: Credit, banned: (volunteer: VolunteerKey) => boolean): readonly Leader[] {
    return this.#leaders.get(now, () =>
      [...this.#names]
        .flatMap(([volunteer, kept]) => {
          const name = nameToday(kept);
          if (banned(volunteer) || name === undefined) return [];
          const { tokens, recent } = credit(volunteer);
          const page = this.#pages.of(volunteer);
          return [{ name, tokens, recent, ...(page !== undefined && { page }) }];
        })
        .filter(({ tokens }) => tokens > 0)
        .sort((a, b) => b.tokens - a.tokens || (a.name < b.name ? -1 : 1))
        .slice(0, MAX_LEADERS),
    );
  }

  /** Whether there was any. */
  #drop(...volunteers: readonly VolunteerKey[]): boolean {
    let dropped = false;
    for (const volunteer of volunteers) {
      const name = this.#names.get(volunteer);
      if (name === undefined) continue;
      dropped = true;
      this.#pages.drop(volunteer);
      this.#names.delete(volunteer);
      // An earlier release allowed names that look the same: the key is then the other's.
      if (this.#keys.get(nameKey(name)) === volunteer) this.#keys.delete(nameKey(name));
    }
    return dropped;
  }

  #partOf(volunteer: VolunteerKey): Set<VolunteerKey> {
    const file = partFileOf(volunteer);
    const part = this.#forgotten.get(file) ?? new Set();
    this.#forgotten.set(file, part);
    return part;
  }

  #writeNames(): Promise<void> {
    this.#leaders.changed();
    return this.#files.write(FILE, () => ({
      names: Object.fromEntries(this.#names),
      pages: this.#pages.kept(),
      forgotten: this.#early,
    }));
  }
}

const keyOf = (key: unknown): VolunteerKey => as(isVolunteerKey, key, "a volunteer");

const PART_FILE = /^forgotten-[0-9a-f]{2}\.json$/;

/** By the first six bits of the key: of what was drawn by lot they are even. */
function partFileOf(volunteer: VolunteerKey): string {
  const part = (fromBase64Url(volunteer.slice(0, 4))[0] ?? 0) % PARTS;
  return `forgotten-${part.toString(16).padStart(2, "0")}.json`;
}
