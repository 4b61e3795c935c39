import type { Hash } from "../../protocol/ids.ts";

/** Files kept in memory for volunteers a version or two behind; the newest always is. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The newest versions' published files. */
export class RecentFiles {
  /** Newest last. */
  readonly #files: { readonly hash: Hash; readonly file: Uint8Array<ArrayBuffer> }[] = [];

  constructor(hash: Hash, file: Uint8Array<ArrayBuffer>) {
    this.add(hash, file);
  }

  add(hash: Hash, file: Uint8Array<ArrayBuffer>): void {
    this.#files.push({ hash, file });
    while (this.#files.length > 1 && this.#files.length * file.length > MAX_BYTES) this.#files.shift();
  }

  get(hash: Hash): Uint8Array<ArrayBuffer> | undefined {
    return this.#files.find((published) => published.hash === hash)?.file;
  }
}
