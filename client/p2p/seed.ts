import { utf8 } from "../../protocol/bytes.ts";
import { parseChunks, verifyChunks } from "../../protocol/chunks.ts";
import { asObject, parseJson } from "../../protocol/guards.ts";
import type { Identity } from "../../protocol/identity.ts";
import { type Announcement, parseIntroduction } from "../../protocol/introduction.ts";
import { MAX_LIST_BYTES } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { pathOfObject, ROUTES } from "../../protocol/routes.ts";
import { WrongBytes } from "../transport/away.ts";
import type { SignedPosts } from "../transport/signed.ts";
import type { SeedServer } from "./announcer.ts";

/** The server as the peers' seed of last resort (rules K1, K3 and K5). */
export function httpSeed(
  posts: SignedPosts,
  identity: Identity,
  { run, server }: Pick<Manifest, "run" | "server">,
  names: Pick<Announcement, "id" | "token">,
): SeedServer {
  return {
    async chunks(object, most) {
      const json = parseJson(await posts.get({ path: ROUTES.chunks(object), limit: MAX_LIST_BYTES }));
      const list = parseChunks(asObject(json.chunks, "chunks"), most);
      if (list.object !== object || list.run !== run || !(await verifyChunks(server, list))) {
        throw new WrongBytes(`a list of ${object} that this run's server did not sign`);
      }
      return list;
    },
    range: (object, from, to) =>
      posts.get({ path: pathOfObject(object), limit: to - from, range: `bytes=${from}-${to - 1}` }),
    async announce(said) {
      const body = utf8(JSON.stringify({ ...said, ...names }));
      return parseIntroduction(await posts.post(identity, { path: ROUTES.peers, body }));
    },
  };
}
