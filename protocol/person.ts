import { isHash, isTicketId, isVolunteerKey, type PersonId } from "./ids.ts";
import { MAX_LINKED } from "./link.ts";
import { normaliseName } from "./people.ts";
import { count, id, integer, list, message, object } from "./schema.ts";

/** Deltas on a page. */
export const MAX_PERSONS_DELTAS = 20;

/** The page's address below the server's. */
export const personPage = (id: PersonId): string => `/person?id=${id}`;

const delta = object({
  ticket: id(isTicketId),
  volunteer: id(isVolunteerKey),
  delta: id(isHash),
  /** The version that it is in. */
  version: count,
  tokens: count,
});
export type PersonsDelta = ReturnType<typeof delta>;

/** Throws `bad-request`. */
export const parsePerson = message({
  name: normaliseName,
  /** Of all keys that are linked: merged tokens, those of the last 24 hours, and merged deltas. */
  tokens: count,
  recent: count,
  merged: count,
  /** How many keys these are. */
  keys: integer(1, MAX_LINKED),
  /** Their newest merged deltas, each of which has a proof. */
  deltas: list(delta, MAX_PERSONS_DELTAS),
});
/** A person's page (rule U7): of who chose a name and asked for a page. */
export type Person = ReturnType<typeof parsePerson>;
