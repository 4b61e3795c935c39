import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { STATE_FILE } from "./state.ts";
import { MirrorError, type MirrorTarget } from "./target.ts";

/**
 * A directory that a web server serves. It is made where it is missing. Rejects with a {@link MirrorError} where it holds
 * other things, which would be served beside the run's.
 */
export async function directoryTarget(directory: string): Promise<MirrorTarget> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  if (names.length > 0 && !names.includes(STATE_FILE)) {
    throw new MirrorError(`${directory} holds other files: name an empty directory for the mirror`);
  }
  const at = (path: string) => join(directory, path);
  return {
    name: directory,
    read: async (path) => {
      const bytes = await readFile(at(path)).catch(unlessMissing);
      return bytes && new Uint8Array(bytes);
    },
    async write(path, bytes) {
      const temporary = `${at(path)}.tmp`;
      await mkdir(dirname(temporary), { recursive: true });
      // Readable by the web server, which is another user; not synced, since all of it can be made again.
      const file = await open(temporary, "w", 0o644);
      try {
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      await rename(temporary, at(path));
    },
    remove: (path) => rm(at(path), { force: true }),
  };
}
