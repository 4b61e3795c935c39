import type { Files, OpenFile } from "../../server/store/files.ts";

/**
 * Files that end this process with −9 in the middle of their n-th change: at an append once half of it is
 * written, at everything else just before it happens.
 */
export function killingFiles(files: Files, at: number): Files {
  let done = 0;
  const count = async (halfway?: () => Promise<void>) => {
    if (done++ !== at) return;
    await halfway?.();
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {}); // until the signal arrives
  };
  const wrap = (file: OpenFile): OpenFile => ({
    async append(bytes) {
      await count(() => file.append(bytes.subarray(0, bytes.length >> 1)));
      await file.append(bytes);
    },
    async truncate(length) {
      await count();
      await file.truncate(length);
    },
    async sync() {
      await count();
      await file.sync();
    },
    close: () => file.close(),
  });
  return {
    async open(path, mode) {
      await count();
      return wrap(await files.open(path, mode));
    },
    read: (path, start, end) => files.read(path, start, end),
    size: (path) => files.size(path),
    async rename(from, to) {
      await count();
      await files.rename(from, to);
    },
    async remove(path) {
      await count();
      await files.remove(path);
    },
    list: (directory) => files.list(directory),
    async makeDirectory(path) {
      await count();
      await files.makeDirectory(path);
    },
    async syncDirectory(path) {
      await count();
      await files.syncDirectory(path);
    },
  };
}
