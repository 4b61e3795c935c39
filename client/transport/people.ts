import { utf8 } from "../../protocol/bytes.ts";
import { type CodeAnswer, type CodeRequest, parseCodeAnswer } from "../../protocol/code.ts";
import { asObject, type Json, parseJson } from "../../protocol/guards.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { parseTogether, signLink, type Together } from "../../protocol/link.ts";
import { type Leader, normaliseName, parseLeaders } from "../../protocol/people.ts";
import type { Recipient } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseTeams, type TeamSum } from "../../protocol/team.ts";
import { MAX_JSON_ANSWER } from "./request.ts";
import type { SignedPosts } from "./signed.ts";

/** A volunteer's requests about its own name and data, and the list of names. Throws as the trainer's Api does. */
export interface PeopleApi {
  leaders(): Promise<readonly Leader[]>;
  /** Sets the name, or takes it away; returns it as the server keeps it. `page`: whether it is to have a page. */
  rename(identity: Identity, name: string | null, page: boolean): Promise<string | undefined>;
  /** All that the server holds about this key, as it says it. */
  data(identity: Identity): Promise<Json>;
  teams(): Promise<readonly TeamSum[]>;
  /** Joins the team of that name, or leaves its own; returns the name as the server keeps it. */
  joinTeam(identity: Identity, name: string | null): Promise<string | undefined>;
  /** Links two keys that are both here; returns what all of the person's gave. */
  link(identity: Identity, other: Identity): Promise<Together>;
  /** Takes a key out of whatever it is linked with. */
  unlink(identity: Identity): Promise<void>;
  /** Carries a key between two pages (rule U6). */
  code(identity: Identity, request: CodeRequest): Promise<CodeAnswer>;
  forget(identity: Identity): Promise<void>;
}

/** Bytes of a volunteer's own data: a thousand deltas of about 250, and more. */
const MAX_DATA = 512 * 1024;

export function peopleApi(posts: SignedPosts): PeopleApi {
  const post = (path: string, identity: Identity, body: unknown, limit = MAX_JSON_ANSWER) =>
    posts.post(identity, { path, body: utf8(JSON.stringify(body)), limit });
  return {
    leaders: async () =>
      parseLeaders(parseJson(await posts.get({ path: ROUTES.leaders, limit: MAX_JSON_ANSWER }))),
    async rename(identity, name, page) {
      const kept = (await post(ROUTES.myName, identity, { name, page })).name;
      return kept === null ? undefined : normaliseName(kept);
    },
    data: async (identity) => asObject((await post(ROUTES.myData, identity, {}, MAX_DATA)).data, "data"),
    teams: async () => parseTeams(parseJson(await posts.get({ path: ROUTES.teams, limit: MAX_JSON_ANSWER }))),
    async joinTeam(identity, name) {
      const { team } = await post(ROUTES.myTeam, identity, { team: name });
      return team === null ? undefined : normaliseName(asObject(team, "team").name);
    },
    async link(identity, other) {
      const body = async (nonce: TicketId, to: Recipient) =>
        utf8(JSON.stringify(await signLink(other, identity.key, nonce, to)));
      return parseTogether(await posts.post(identity, { path: ROUTES.myLink, body }));
    },
    async unlink(identity) {
      await post(ROUTES.myLink, identity, { with: null });
    },
    code: async (identity, request) => parseCodeAnswer(await post(ROUTES.myCode, identity, request)),
    async forget(identity) {
      await post(ROUTES.forgetMe, identity, {});
    },
  };
}
