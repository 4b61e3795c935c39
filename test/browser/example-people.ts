import type { PersonId, TeamId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Person } from "../../protocol/person.ts";
import type { Team } from "../../protocol/team.ts";
import { hashOf } from "./example-status.ts";

export const EXAMPLE_PAGE = "A".repeat(22) as PersonId;
export const EXAMPLE_TEAM: Team = {
  id: "cmVlZC1iaXJkcy10ZWFtLQ" as TeamId,
  ...{ name: "Reed birds", tokens: 81_920, recent: 20_480, members: 3 },
  people: [
    { name: "Ann of the Reeds", tokens: 76_800, page: EXAMPLE_PAGE },
    { name: "星", tokens: 5_120 },
  ],
};
export const EXAMPLE_PERSON: Person = {
  ...{ name: "Ann of the Reeds", tokens: 12_345_678, recent: 123_456, merged: 1_204, keys: 2 },
  deltas: [8, 7, 5].map((version) => ({
    ticket: `${version}`.padEnd(22, "A") as TicketId,
    volunteer: "k".repeat(42).concat("A") as VolunteerKey,
    ...{ delta: hashOf(String(version)), version: 1_000 + version, tokens: 5_120 },
  })),
};
