import { as, asArray, asInteger, asObject, type Json } from "./guards.ts";
import { isPersonId, isTeamId, type PersonId, type TeamId } from "./ids.ts";
import { MAX_LEADERS, normaliseName } from "./people.ts";

/** A team (rule U8): a name that volunteers gather under, and the sum of what they gave. */
export interface TeamSum {
  readonly id: TeamId;
  readonly name: string;
  readonly tokens: number;
  readonly recent: number;
  /** People in it, with or without a name. */
  readonly members: number;
}

/** A team's page. */
export interface Team extends TeamSum {
  /** Its members that have a name, most tokens first. */
  readonly people: readonly { readonly name: string; readonly tokens: number; readonly page?: PersonId }[];
}

/** The page's address below the server's. */
export const teamPage = (id: TeamId): string => `/person?team=${id}`;

const count = (from: Json, field: string) => asInteger(from[field], field, 0, Number.MAX_SAFE_INTEGER);

const parseSum = (json: Json): TeamSum => ({
  id: as(isTeamId, json.id, "id"),
  name: normaliseName(json.name),
  tokens: count(json, "tokens"),
  recent: count(json, "recent"),
  members: count(json, "members"),
});

/** Reads the list of teams. Throws `bad-request`. */
export const parseTeams = (json: Json): readonly TeamSum[] =>
  asArray(json.teams, "teams", MAX_LEADERS).map((one) => parseSum(asObject(one, "teams[]")));

/** Reads one team's page. Throws `bad-request`. */
export const parseTeam = (json: Json): Team => ({
  ...parseSum(json),
  people: asArray(json.people, "people", MAX_LEADERS).map((value) => {
    const one = asObject(value, "people[]");
    return {
      name: normaliseName(one.name),
      tokens: count(one, "tokens"),
      ...(one.page !== undefined && { page: as(isPersonId, one.page, "page") }),
    };
  }),
});
