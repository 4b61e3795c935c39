import { ProtocolError } from "../../protocol/errors.ts";
import { as, type Json } from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import { parseTextHead, type SetupStage, type SetupState, type TextUpload } from "../../protocol/setup.ts";
import { CorpusFailed, makeCorpusInThread } from "../corpus/corpus-thread.ts";
import type { CorpusJob } from "../corpus/messages.ts";
import type { Log } from "../lib/log.ts";
import type { AuditLog } from "../operator/audit-log.ts";
import type { Session } from "../operator/sessions.ts";
import { SettingsError } from "../run/settings.ts";
import type { UploadPort } from "./ports.ts";
import type { UploadDisk, UploadedText } from "./uploaded-text.ts";

export interface TextWorkParts {
  readonly directory: string;
  readonly text: UploadedText;
  readonly disk: Pick<UploadDisk, "free">;
  readonly log: AuditLog;
  readonly errors: Pick<Log, "error">;
  /** The wall clock, for links and the log. */
  readonly wallClock: () => number;
}

/** What is said of one kind of work. */
interface WorkWords {
  /** To who begins another meanwhile. */
  readonly busy: string;
  /** To the operator, of a failure of the server itself; the log has the error, and says `logged` of it. */
  readonly failed: string;
  readonly logged: string;
}

/** Takes a text from a signed-in operator and works on it beside the server: one at a time, and no other text meanwhile. */
export abstract class TextWork<Parts extends TextWorkParts> implements UploadPort {
  protected readonly parts: Parts;
  protected work: SetupState["work"] = null;
  readonly #words: WorkWords;
  readonly #stopped = new AbortController();
  #failed: SetupState["failed"] = null;
  #doing: Promise<void> = Promise.resolve();

  protected constructor(parts: Parts, words: WorkWords) {
    this.parts = parts;
    this.#words = words;
  }

  /** Ends what is being done; resolves when nothing is any more. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#doing;
  }

  begin(head: Json): Promise<TextUpload> {
    this.refuse();
    this.#failed = null;
    return this.parts.text.begin(parseTextHead(head));
  }

  append(offset: number, bytes: Uint8Array): Promise<TextUpload> {
    this.refuse();
    return this.parts.text.append(offset, bytes);
  }

  finish({ sha256 }: Json): Promise<TextUpload> {
    this.refuse();
    return this.parts.text.finish(as(isHash, sha256, "sha256"));
  }

  discard(): Promise<void> {
    this.refuse();
    this.#failed = null;
    return this.parts.text.discard();
  }

  /** Throws `not-ready` while something is being done. */
  protected refuse(): void {
    if (this.work !== null) throw new ProtocolError("not-ready", this.#words.busy);
  }

  protected async progress(): Promise<Omit<SetupState, "operator" | "corpus">> {
    const { text, disk } = this.parts;
    return {
      maxBytes: text.maxBytes,
      freeBytes: await disk.free(),
      upload: text.upload ?? null,
      work: this.work,
      failed: this.#failed,
    };
  }

  /** Notes who did it, and begins the job; {@link progress} tells how far it is. */
  protected async start(
    stage: SetupStage,
    action: string,
    { name }: Session,
    job: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    this.#failed = null;
    this.work = { stage, done: 0, total: null };
    const { log, wallClock } = this.parts;
    try {
      await log.add({ at: new Date(wallClock()).toISOString(), who: name, action });
    } catch (error) {
      this.work = null;
      throw error;
    }
    this.#doing = job(this.#stopped.signal).catch((error: unknown) => {
      this.#failed = this.#explain(error);
      this.work = null;
    });
  }

  protected makeCorpus(job: CorpusJob): Promise<void> {
    const onProgress: Parameters<typeof makeCorpusInThread>[1] = ({ stage, done, total }) => {
      this.work = { stage, done, total: total ?? null };
    };
    return makeCorpusInThread(job, onProgress, this.#stopped.signal);
  }

  #explain(error: unknown): NonNullable<SetupState["failed"]> {
    if (error instanceof CorpusFailed) return { code: error.code, message: error.message };
    if (error instanceof SettingsError) return { code: "bad-request", message: error.message };
    const { failed, logged } = this.#words;
    if (!this.#stopped.signal.aborted) this.parts.errors.error({ err: error }, logged);
    return { code: "internal-error", message: failed };
  }
}
