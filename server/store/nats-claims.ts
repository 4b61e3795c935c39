import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Claims } from "../lib/claims.ts";

/** Milliseconds for which a server may take to say that it does something. That none does the cluster says at once. */
const HERE_MS = 500;

/**
 * Claims of one server among those of a run: it answers whoever asks for as long as it has one, so that a server that dies
 * has none. Two that ask within the same millisecond may both have it, and where the cluster does not answer everybody does.
 */
export function natsClaims(connection: NatsConnection, name: string): Claims {
  const own = new Map<string, Subscription>();
  return {
    async take(what) {
      if (own.has(what)) return true;
      const subject = `${name}.claim.${what}`;
      const isTaken = await connection.request(subject, undefined, { timeout: HERE_MS }).then(
        () => true,
        () => false,
      );
      if (!isTaken)
        own.set(
          what,
          connection.subscribe(subject, { callback: (_error, message) => void message.respond() }),
        );
      return !isTaken;
    },
    drop(what) {
      own.get(what)?.unsubscribe();
      own.delete(what);
    },
  };
}
