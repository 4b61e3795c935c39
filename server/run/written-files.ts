import { utf8 } from "../../protocol/bytes.ts";
import type { Store } from "../store/store.ts";

/** A file's write under way, and the one that follows it if there is one. */
interface Writing {
  readonly done: Promise<void>;
  next: Promise<void> | undefined;
}

/** People's own files beside the journal: each written whole, one write after another, and kept from other users. */
export class WrittenFiles {
  readonly #store: Store;
  readonly #writing = new Map<string, Writing>();
  readonly #behind = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Writes all that is known when the write begins: whoever asks meanwhile shares the next. Durable when it resolves. */
  write(file: string, content: () => object): Promise<void> {
    const now = this.#writing.get(file);
    if (now?.next !== undefined) return now.next;
    const write = () => this.#store.put("run", file, utf8(`${JSON.stringify(content())}\n`), "secret");
    if (now === undefined) return this.#begin(file, write());
    now.next = now.done.then(() => this.#begin(file, write()));
    return now.next;
  }

  /** Whether the file still has what it had before a write that failed: what was taken back since is to be written again. */
  isBehind(file: string): boolean {
    return this.#behind.has(file);
  }

  #begin(file: string, written: Promise<void>): Promise<void> {
    written.then(
      () => this.#behind.delete(file),
      () => this.#behind.add(file),
    );
    const writing: Writing = { done: written.catch(() => {}), next: undefined }; // the caller gets the error
    this.#writing.set(file, writing);
    void writing.done.then(() => {
      if (this.#writing.get(file) === writing && writing.next === undefined) this.#writing.delete(file);
    });
    return written;
  }
}
