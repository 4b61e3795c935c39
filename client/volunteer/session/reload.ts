/**
 * A page whose protocol version differs from the server's reloads itself once, and then says so (rule V1).
 * The flag lives as long as the tab, so that a server and a cache that disagree do not make a loop.
 */
const KEY = "murmuration-reloaded";

/** Reloads if this tab has not tried that yet. Returns whether it does. */
export function reloadOnce(
  storage: Pick<Storage, "getItem" | "setItem"> | undefined,
  reload: () => void,
): boolean {
  try {
    if (storage === undefined || storage.getItem(KEY) !== null) return false;
    storage.setItem(KEY, "yes");
  } catch {
    return false; // without a memory a reload could repeat forever
  }
  reload();
  return true;
}

/** Page and server agree again: a later mismatch may reload again. */
export function forgetReload(storage: Pick<Storage, "removeItem"> | undefined): void {
  try {
    storage?.removeItem(KEY);
  } catch {
    // nothing was kept, so nothing is to forget
  }
}

/** The tab's sessionStorage, or undefined where it is denied. */
export function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
