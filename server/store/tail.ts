import type { Files } from "./files.ts";

/** The end of a journal, as its writer left it. */
export interface Tail {
  /** The last segment's file, and its bytes; undefined before the first. */
  readonly path: string | undefined;
  readonly bytes: number;
  /** The file of the segment after it, which must not be there yet. */
  readonly next: string;
  /** What the writer wrote last without success: a part of it may stand at the end. */
  readonly attempt: { readonly header?: Uint8Array; readonly block?: Uint8Array };
}

/** Whether nobody else has appended: two look-ups of a file's length where the last write has succeeded. */
export async function isOwnTail(files: Files, { path, bytes, next, attempt }: Tail): Promise<boolean> {
  const [size, following] = await Promise.all([path === undefined ? 0 : files.size(path), files.size(next)]);
  if (following !== undefined && !(await isPart(files, next, 0, attempt.header))) return false;
  if (path === undefined || size === bytes) return true;
  return size !== undefined && size > bytes && (await isPart(files, path, bytes, attempt.block));
}

/** Whether a file's bytes from `start` on are the beginning of `written`. */
async function isPart(files: Files, path: string, start: number, written?: Uint8Array): Promise<boolean> {
  const found = await files.read(path, start);
  return found?.every((byte, i) => byte === written?.[i]) ?? false;
}
