import { as, asArray, asInteger, asObject, type Json } from "./guards.ts";
import {
  type Hash,
  isHash,
  isTicketId,
  isVolunteerKey,
  type PersonId,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";
import { MAX_LINKED } from "./link.ts";
import { normaliseName } from "./people.ts";

/** A person's page (rule U7): of who chose a name and asked for a page. */
export interface Person {
  readonly name: string;
  /** Of all keys that are linked: merged tokens, those of the last 24 hours, and merged deltas. */
  readonly tokens: number;
  readonly recent: number;
  readonly merged: number;
  /** How many keys these are. */
  readonly keys: number;
  /** Their newest merged deltas, each of which has a proof. */
  readonly deltas: readonly PersonsDelta[];
}

export interface PersonsDelta {
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  readonly delta: Hash;
  /** The version that it is in. */
  readonly version: number;
  readonly tokens: number;
}

/** Deltas on a page. */
export const MAX_PERSONS_DELTAS = 20;

/** The page's address below the server's. */
export const personPage = (id: PersonId): string => `/person?id=${id}`;

/** Throws `bad-request`. */
export function parsePerson(json: Json): Person {
  const count = (from: Json, field: string) => asInteger(from[field], field, 0, Number.MAX_SAFE_INTEGER);
  return {
    name: normaliseName(json.name),
    tokens: count(json, "tokens"),
    recent: count(json, "recent"),
    merged: count(json, "merged"),
    keys: asInteger(json.keys, "keys", 1, MAX_LINKED),
    deltas: asArray(json.deltas, "deltas", MAX_PERSONS_DELTAS).map((value) => {
      const one = asObject(value, "deltas[]");
      return {
        ticket: as(isTicketId, one.ticket, "ticket"),
        volunteer: as(isVolunteerKey, one.volunteer, "volunteer"),
        delta: as(isHash, one.delta, "delta"),
        version: count(one, "version"),
        tokens: count(one, "tokens"),
      };
    }),
  };
}
