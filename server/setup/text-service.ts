import type { AddedSummary, TextOrder, TextState } from "../../protocol/added-text.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, type Json } from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import { parseTextHead, type TextUpload } from "../../protocol/setup.ts";
import { CorpusFailed, makeCorpusInThread } from "../corpus/corpus-thread.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { Log } from "../lib/log.ts";
import type { AuditLog } from "../operator/audit-log.ts";
import type { Session } from "../operator/sessions.ts";
import type { Run } from "../run/run.ts";
import { discardFetched, type FetchedText, type FetchOptions, fetchText } from "./fetched-text.ts";
import type { TextPort } from "./ports.ts";
import type { UploadDisk, UploadedText } from "./uploaded-text.ts";

/** Texts that are listed, the newest. */
const MAX_LISTED = 100;

type Text = Omit<AddedSummary, "waits">;

export interface TextParts {
  readonly directory: string;
  readonly run: Pick<Run, "status">;
  readonly text: UploadedText;
  readonly disk: Pick<UploadDisk, "free">;
  /** Has the run take in what was added. */
  readonly take: () => Promise<void>;
  readonly log: AuditLog;
  readonly errors: Pick<Log, "error">;
  /** What a test puts in the place of the internet. */
  readonly fetching?: Pick<FetchOptions, "resolve" | "isAllowed" | "idleMs">;
  /** The wall clock, for the log. */
  readonly wallClock: () => number;
}

/** Adds text to a run for its signed-in operator, beside the server's other work: one text at a time. */
export class TextService implements TextPort {
  readonly #parts: TextParts;
  readonly #stopped = new AbortController();
  #texts: readonly Text[];
  #work: TextState["work"] = null;
  #failed: TextState["failed"] = null;
  #doing: Promise<void> = Promise.resolve();

  private constructor(parts: TextParts, texts: readonly Text[]) {
    this.#parts = parts;
    this.#texts = texts;
  }

  /** Throws a CorpusError where the directory's corpus is damaged. */
  static async open(parts: TextParts): Promise<TextService> {
    return new TextService(parts, await textsIn(parts.directory));
  }

  /** Ends what is being done; resolves when nothing is any more. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#doing;
  }

  async state(): Promise<Omit<TextState, "operator">> {
    const { text, disk, run } = this.#parts;
    const taken = run.status().added?.texts ?? 0;
    return {
      maxBytes: text.maxBytes,
      freeBytes: await disk.free(),
      upload: text.upload ?? null,
      work: this.#work,
      failed: this.#failed,
      texts: this.#texts.map((text, i) => ({ ...text, waits: i >= taken })).slice(-MAX_LISTED),
    };
  }

  begin(head: Json): Promise<TextUpload> {
    this.#refuse();
    this.#failed = null;
    return this.#parts.text.begin(parseTextHead(head));
  }

  append(offset: number, bytes: Uint8Array): Promise<TextUpload> {
    this.#refuse();
    return this.#parts.text.append(offset, bytes);
  }

  finish({ sha256 }: Json): Promise<TextUpload> {
    this.#refuse();
    return this.#parts.text.finish(as(isHash, sha256, "sha256"));
  }

  discard(): Promise<void> {
    this.#refuse();
    this.#failed = null;
    return this.#parts.text.discard();
  }

  /**
   * Begins to add a text; {@link state} tells how far it is. Throws `not-ready` where there is none or one is being
   * added already, and `run-finished`.
   */
  async add(order: TextOrder, { name }: Session): Promise<void> {
    this.#refuse();
    const { text, log, wallClock } = this.#parts;
    const source =
      order.from === "upload" ? { file: text.file, name: text.upload?.name ?? "text" } : order.from;
    this.#failed = null;
    this.#work = { stage: "url" in source ? "fetching" : "comparing", done: 0, total: null };
    const action = `add text ${JSON.stringify("url" in source ? source.url : source.name)}, weight ${order.weight}`;
    try {
      await log.add({ at: new Date(wallClock()).toISOString(), who: name, action });
    } catch (error) {
      this.#work = null;
      throw error;
    }
    this.#doing = this.#make(source, order);
  }

  async #make(source: FetchedText | { readonly url: string }, order: TextOrder): Promise<void> {
    const { weight, duplicates } = order;
    const { directory, text, run, take } = this.#parts;
    try {
      const { context, vocabulary } = run.status().model;
      const { file, name } = "url" in source ? await this.#fetch(source.url) : source;
      const job = {
        ...{ dataDir: directory, file, context, vocabulary, maxTextBytes: text.maxBytes },
        beside: { name, weight, duplicates },
      };
      await makeCorpusInThread(
        job,
        ({ stage, done, total }) => {
          this.#work = { stage, done, total: total ?? null };
        },
        this.#stopped.signal,
      );
      this.#texts = await textsIn(directory);
      await take();
      await (order.from === "upload" ? text.discard() : discardFetched(directory)).catch(() => {}); // the shards hold it now; it can be discarded from the page
    } catch (error) {
      this.#failed = this.#explain(error);
    }
    this.#work = null;
  }

  #fetch(url: string): Promise<FetchedText> {
    const { directory, text, fetching } = this.#parts;
    return fetchText(url, {
      ...{ directory, maxBytes: text.maxBytes, signal: this.#stopped.signal, ...fetching },
      onProgress: (done, total) => {
        this.#work = { stage: "fetching", done, total: total ?? null };
      },
    });
  }

  #explain(error: unknown): NonNullable<TextState["failed"]> {
    if (error instanceof CorpusFailed) return { code: error.code, message: error.message };
    if (!this.#stopped.signal.aborted) this.#parts.errors.error({ err: error }, "text could not be added");
    return { code: "internal-error", message: "the text was not added; the server’s log says why" };
  }

  #refuse(): void {
    if (this.#work !== null) throw new ProtocolError("not-ready", "a text is being added");
    if (this.#parts.run.status().state === "finished") {
      throw new ProtocolError("run-finished", "a finished run takes no text");
    }
  }
}

async function textsIn(directory: string): Promise<readonly Text[]> {
  const { added } = await readCorpus(directory);
  return added.map(({ index: { sources, bytes, tokens, duplicates } }) => ({
    name: sources
      .map((source) => source.name)
      .join(", ")
      .slice(0, 200),
    ...{ bytes, tokens, duplicates: duplicates?.passages ?? 0 },
  }));
}
