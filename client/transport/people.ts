import { utf8 } from "../../protocol/bytes.ts";
import { asObject, type Json, parseJson } from "../../protocol/guards.ts";
import type { Identity } from "../../protocol/identity.ts";
import { type Leader, normaliseName, parseLeaders } from "../../protocol/people.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { MAX_JSON_ANSWER } from "./request.ts";
import type { SignedPosts } from "./signed.ts";

/** A volunteer's requests about its own name and data, and the list of names. Throws as the trainer's Api does. */
export interface PeopleApi {
  leaders(): Promise<readonly Leader[]>;
  /** Sets the name, or takes it away; returns it as the server keeps it. */
  rename(identity: Identity, name: string | null): Promise<string | undefined>;
  /** All that the server holds about this key, as it says it. */
  data(identity: Identity): Promise<Json>;
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
    async rename(identity, name) {
      const kept = (await post(ROUTES.myName, identity, { name })).name;
      return kept === null ? undefined : normaliseName(kept);
    },
    data: async (identity) => asObject((await post(ROUTES.myData, identity, {}, MAX_DATA)).data, "data"),
    async forget(identity) {
      await post(ROUTES.forgetMe, identity, {});
    },
  };
}
