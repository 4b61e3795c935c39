import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Whether a system's code says that it refused for lack of rights. */
export const isRefused = (code: string | undefined): boolean =>
  code === "EACCES" || code === "EPERM" || code === "EROFS";

/** The owner of a file or directory, or of its nearest existing parent where it is missing. */
export interface Owner {
  readonly path: string;
  readonly uid: number;
}

/**
 * Why a path cannot be used, and what to do about it. `owner` and `self` (this process's user, undefined on
 * Windows) are looked up where they are not given.
 */
export function accessLine(
  path: string,
  code: string,
  owner: Owner | undefined = ownerOf(path),
  self: number | undefined = process.getuid?.(),
): string {
  if (code === "EROFS") {
    return `${path} lies on a read-only file system (${code}): mount it for writing, or name another place`;
  }
  const refused = `${path} cannot be read and written (${code})`;
  if (owner === undefined || self === undefined) return `${refused}: give this user the right to`;
  if (owner.uid === self) {
    return `${refused}: ${owner.path} is this user's, but its mode or its file system forbids it; try "chmod -R u+rwX ${owner.path}"`;
  }
  return (
    `${refused}: ${owner.path} belongs to user ${owner.uid}, and this is user ${self}. Give it away with ` +
    `"chown -R ${self} ${owner.path}" (for a container's bind mount: on the host), or run as user ${owner.uid}`
  );
}

function ownerOf(path: string): Owner | undefined {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      return { path: at, uid: statSync(at).uid };
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}
