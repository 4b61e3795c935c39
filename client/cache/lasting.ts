import { TimedOut } from "../../model/lib/deadline.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { type Cache, memoryCache } from "./cache.ts";

/**
 * A cache that never rejects: the first write that the disk refuses (full, private window, quota) is reported
 * once, and from then on writes go to memory alone, so that a full disk costs one try and no loop. What the
 * disk held stays readable, except what was written since: a stale residual would be sent twice, so an
 * overwritten key is deleted from the disk where that still works. A disk that once did not answer is asked nothing
 * more: each question would cost its whole time limit.
 */
export function lastingCache(disk: Cache, say: (why: string) => void): Cache {
  const memory = memoryCache();
  const overwritten = new Set<string>();
  let full = false;
  let silent = false;

  const giveUp = (error: unknown) => {
    if (!full) say(messageOf(error));
    full = true;
    silent ||= error instanceof TimedOut;
  };

  return {
    get fleeting() {
      return full;
    },
    async get(key) {
      if (overwritten.has(key) || silent) return memory.get(key);
      try {
        return await disk.get(key);
      } catch (error) {
        giveUp(error);
        return undefined;
      }
    },
    async write(changes) {
      if (!full) {
        try {
          return await disk.write(changes);
        } catch (error) {
          giveUp(error);
        }
      }
      const stale = Object.keys(changes).filter((key) => !overwritten.has(key));
      for (const key of stale) overwritten.add(key);
      await memory.write(changes);
      if (stale.length > 0 && !silent) {
        await disk.write(Object.fromEntries(stale.map((key) => [key, undefined]))).catch(() => undefined);
      }
    },
  };
}
