import { messageOf } from "../../model/lib/message-of.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, asObject, asText, parseJson } from "../../protocol/guards.ts";
import { isTeamId, isVolunteerKey, type TeamId, type VolunteerKey } from "../../protocol/ids.ts";
import { normaliseName } from "../../protocol/people.ts";
import { type Store, StoreError } from "../store/store.ts";
import { MAX_KEPT_CHARS, nameKey, nameToday } from "./name-key.ts";
import type { WrittenFiles } from "./written-files.ts";

/** Beside the journal, as names are: who is in a team may leave it, and the journal forgets nothing. */
const FILE = "teams.json";
/** Teams, and members of all of them. Each member has a merged delta, so nobody fills this with fresh keys. */
const MAX_TEAMS = 500;
const MAX_MEMBERS = 2_000;

interface Members {
  readonly name: string;
  /** One key of each person. */
  readonly keys: Set<VolunteerKey>;
}

/** Which people are in which team (rule U8). A team begins with its first member and ends with its last. */
export class Teams {
  readonly #files: WrittenFiles;
  readonly #teams = new Map<TeamId, Members>();
  readonly #ofKey = new Map<VolunteerKey, TeamId>();
  readonly #ofName = new Map<string, TeamId>();

  private constructor(files: WrittenFiles) {
    this.#files = files;
  }

  /** Rejects with a StoreError where the file is damaged. Of who is `forgotten` nothing is taken from it. */
  static async open(
    store: Store,
    files: WrittenFiles,
    forgotten: (volunteer: VolunteerKey) => boolean,
  ): Promise<Teams> {
    const teams = new Teams(files);
    const file = await store.get("run", FILE);
    if (file === undefined) return teams;
    try {
      for (const value of asArray(parseJson(file).teams, "teams", MAX_TEAMS)) {
        const json = asObject(value, "a team");
        const keys = asArray(json.keys, "keys", MAX_MEMBERS).map((key) => as(isVolunteerKey, key, "a key"));
        const id = as(isTeamId, json.id, "id");
        const name = nameToday(asText(json.name, "name", MAX_KEPT_CHARS));
        // Of a team without a name its members may join another.
        if (name === undefined) continue;
        for (const key of keys) if (!forgotten(key)) teams.#add(key, id, name);
      }
    } catch (error) {
      throw new StoreError(`${FILE}: ${messageOf(error)}`);
    }
    return teams;
  }

  /** The team of a person, by all of its keys. */
  of(keys: ReadonlySet<VolunteerKey>): { readonly id: TeamId; readonly name: string } | undefined {
    for (const key of keys) {
      const id = this.#ofKey.get(key);
      const team = id && this.#teams.get(id);
      if (id !== undefined && team !== undefined) return { id, name: team.name };
    }
    return undefined;
  }

  get(id: TeamId): Members | undefined {
    return this.#teams.get(id);
  }

  get all(): ReadonlyMap<TeamId, Members> {
    return this.#teams;
  }

  /**
   * Puts a person, by one of its keys, into the team of that name, which is `drawn` where there is none yet; of another it
   * was in it is no more. Durable when it resolves. Throws `bad-request` for what is no name, `no-space`.
   */
  async join(
    volunteer: VolunteerKey,
    keys: ReadonlySet<VolunteerKey>,
    given: unknown,
    drawn: TeamId,
  ): Promise<void> {
    const name = normaliseName(given);
    const id = this.#ofName.get(nameKey(name));
    const isIn = [...keys].some((key) => this.#ofKey.has(key));
    if ((id === undefined && this.#teams.size >= MAX_TEAMS) || (!isIn && this.#ofKey.size >= MAX_MEMBERS)) {
      throw new ProtocolError("no-space", "this server keeps no more of teams: ask its operator");
    }
    this.#drop(...keys);
    // It may have been the last to leave the team of this very name.
    const kept = id !== undefined && this.#teams.has(id) ? id : drawn;
    this.#add(volunteer, kept, this.#teams.get(kept)?.name ?? name);
    await this.#write();
  }

  /** Takes these keys out of their teams; durable when it resolves. */
  async leave(...volunteers: readonly VolunteerKey[]): Promise<void> {
    if (this.#drop(...volunteers) || this.#files.isBehind(FILE)) await this.#write();
  }

  /** Of the teams of keys that become one person's, keeps one: the first that there is. Durable when it resolves. */
  async keepOne(keys: ReadonlySet<VolunteerKey>): Promise<void> {
    const [, ...others] = [...keys].filter((key) => this.#ofKey.has(key));
    await this.leave(...others);
  }

  #add(volunteer: VolunteerKey, id: TeamId, name: string): void {
    const team = this.#teams.get(id) ?? { name, keys: new Set() };
    team.keys.add(volunteer);
    this.#teams.set(id, team);
    this.#ofKey.set(volunteer, id);
    this.#ofName.set(nameKey(name), id);
  }

  /** Whether there was anything. */
  #drop(...volunteers: readonly VolunteerKey[]): boolean {
    let dropped = false;
    for (const volunteer of volunteers) {
      const id = this.#ofKey.get(volunteer);
      const team = id && this.#teams.get(id);
      if (id === undefined || team === undefined) continue;
      dropped = true;
      this.#ofKey.delete(volunteer);
      team.keys.delete(volunteer);
      if (team.keys.size > 0) continue;
      this.#teams.delete(id);
      this.#ofName.delete(nameKey(team.name));
    }
    return dropped;
  }

  #write(): Promise<void> {
    return this.#files.write(FILE, () => ({
      teams: [...this.#teams].map(([id, { name, keys }]) => ({ id, name, keys: [...keys] })),
    }));
  }
}
