import type { Json } from "./guards.ts";
import { isPersonId, isTeamId, type TeamId } from "./ids.ts";
import { MAX_LEADERS, normaliseName } from "./people.ts";
import { count, id, list, message, object, optional } from "./schema.ts";

/** The page's address below the server's. */
export const teamPage = (id: TeamId): string => `/person?team=${id}`;

const SUM = {
  id: id(isTeamId),
  name: normaliseName,
  tokens: count,
  recent: count,
  /** People in it, with or without a name. */
  members: count,
};

const teams = message({ teams: list(object(SUM), MAX_LEADERS) });
/** A team (rule U8): a name that volunteers gather under, and the sum of what they gave. */
export type TeamSum = ReturnType<typeof teams>["teams"][number];

/** Reads the list of teams. Throws `bad-request`. */
export const parseTeams = (json: Json): readonly TeamSum[] => teams(json).teams;

/** Reads one team's page. Throws `bad-request`. */
export const parseTeam = message({
  ...SUM,
  /** Its members that have a name, most tokens first. */
  people: list(object({ name: normaliseName, tokens: count, page: optional(id(isPersonId)) }), MAX_LEADERS),
});
/** A team's page. */
export type Team = ReturnType<typeof parseTeam>;
