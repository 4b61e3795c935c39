import { ProtocolError } from "../../../protocol/errors.ts";
import type { Identity } from "../../../protocol/identity.ts";
import type { RunId } from "../../../protocol/ids.ts";
import type { Together } from "../../../protocol/link.ts";
import { browserCache } from "../../cache/browser.ts";
import { KEYS, readIdentity } from "../../cache/entries.ts";
import { peopleApi } from "../../transport/people.ts";
import { posts, server } from "../session/posts.ts";
import type { Session } from "../session/session.ts";

/**
 * Puts a key in the place of this browser's own. While both are here they are linked, if `addUp` says so and both gave
 * something: afterwards nobody holds the other. Returns what all of them gave, if they were. Throws where the server does
 * not answer; then nothing is changed.
 */
export async function takeKey(
  identity: Identity,
  run: RunId,
  session: Session,
  addUp: boolean,
): Promise<Together | undefined> {
  const cache = browserCache(server, run);
  const own = await readIdentity(cache);
  session.stop(); // whatever trains signs with the key it began with
  const together = addUp && own && own.key !== identity.key ? await link(identity, own) : undefined;
  await cache.write({ [KEYS.identity]: identity });
  return together;
}

/** Undefined where one of both has given nothing yet, so that there is nothing to add up. */
function link(identity: Identity, own: Identity): Promise<Together | undefined> {
  return peopleApi(posts)
    .link(identity, own)
    .catch((error: unknown) => {
      if (error instanceof ProtocolError && error.code === "bad-request") return undefined;
      throw error;
    });
}
