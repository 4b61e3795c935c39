import { ProtocolError } from "../../protocol/errors.ts";
import { as, type Json } from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import {
  type CorpusSummary,
  type Estimate,
  parseTextHead,
  type SetupOrder,
  type SetupState,
  type TextUpload,
} from "../../protocol/setup.ts";
import { CorpusFailed, makeCorpusInThread } from "../corpus/corpus-thread.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { Log } from "../lib/log.ts";
import type { AuditLog } from "../operator/audit-log.ts";
import { redeemLink } from "../operator/link.ts";
import type { Session } from "../operator/sessions.ts";
import { parseSettings, requireShown, type Settings, SettingsError } from "../run/settings.ts";
import { estimateOf } from "./estimate.ts";
import type { SetupPort } from "./ports.ts";
import type { UploadDisk, UploadedText } from "./uploaded-text.ts";

export interface SetupParts {
  readonly directory: string;
  readonly text: UploadedText;
  readonly disk: Pick<UploadDisk, "free">;
  /** Opens the run, and serves it in place of this. */
  readonly begin: (settings: Settings) => Promise<void>;
  readonly log: AuditLog;
  readonly errors: Pick<Log, "error">;
  /** The wall clock, for links and the log. */
  readonly wallClock: () => number;
}

/** Makes a run for a signed-in operator: takes the text, says what a size costs, and does the work beside the server. */
export class SetupService implements SetupPort {
  readonly #parts: SetupParts;
  readonly #stopped = new AbortController();
  #corpus: CorpusSummary | undefined;
  #work: SetupState["work"] = null;
  #failed: SetupState["failed"] = null;
  #doing: Promise<void> = Promise.resolve();

  private constructor(parts: SetupParts, corpus: CorpusSummary | undefined) {
    this.#parts = parts;
    this.#corpus = corpus;
  }

  /** Throws a CorpusError where the directory's corpus is damaged. */
  static async open(parts: SetupParts, hasCorpus: boolean): Promise<SetupService> {
    return new SetupService(parts, hasCorpus ? await corpusIn(parts.directory) : undefined);
  }

  /** Ends what is being done; resolves when nothing is any more. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#doing;
  }

  redeem(link: string): Promise<string | undefined> {
    return redeemLink(this.#parts.directory, link, this.#parts.wallClock());
  }

  async state(): Promise<Omit<SetupState, "operator">> {
    const { text, disk } = this.#parts;
    return {
      maxBytes: text.maxBytes,
      freeBytes: await disk.free(),
      upload: text.upload ?? null,
      corpus: this.#corpus ?? null,
      work: this.#work,
      failed: this.#failed,
    };
  }

  begin(head: Json): Promise<TextUpload> {
    this.#refuseWorking();
    this.#failed = null;
    return this.#parts.text.begin(parseTextHead(head));
  }

  append(offset: number, bytes: Uint8Array): Promise<TextUpload> {
    this.#refuseWorking();
    return this.#parts.text.append(offset, bytes);
  }

  finish({ sha256 }: Json): Promise<TextUpload> {
    this.#refuseWorking();
    return this.#parts.text.finish(as(isHash, sha256, "sha256"));
  }

  discard(): Promise<void> {
    this.#refuseWorking();
    this.#failed = null;
    return this.#parts.text.discard();
  }

  estimate(order: SetupOrder): Estimate {
    return estimateOf(settingsOf(order), this.#vocabulary(order));
  }

  /**
   * Begins to make the run; {@link state} tells how far it is. Throws `not-ready` where there is no text or one is
   * being made already, and `bad-request` for settings that cannot be.
   */
  async createRun(order: SetupOrder, { name }: Session): Promise<void> {
    this.#refuseWorking();
    const settings = settingsOf(order);
    const { parameters } = estimateOf(settings, this.#vocabulary(order));
    if (order.text === "corpus" && this.#corpus === undefined) {
      throw new ProtocolError("not-ready", "there is no corpus yet");
    }
    if (order.text !== "corpus" && this.#corpus !== undefined) {
      throw new ProtocolError("not-ready", "this directory has its corpus already");
    }
    const file = order.text === "upload" ? this.#parts.text.file : order.text;
    this.#failed = null;
    this.#work = { stage: order.text === "corpus" ? "opening" : "reading", done: 0, total: null };
    const { log, wallClock } = this.#parts;
    const action = `create run ${JSON.stringify(settings.name)}, ${parameters} parameters`;
    try {
      await log.add({ at: new Date(wallClock()).toISOString(), who: name, action });
    } catch (error) {
      this.#work = null;
      throw error;
    }
    this.#doing = this.#make(file, order, settings);
  }

  async #make(file: string, order: SetupOrder, settings: Settings): Promise<void> {
    const { directory, text, begin } = this.#parts;
    try {
      if (order.text !== "corpus") {
        const job = {
          ...{ dataDir: directory, file, vocabulary: order.vocabulary },
          context: settings.model.context,
          maxTextBytes: text.maxBytes,
        };
        await makeCorpusInThread(
          job,
          ({ stage, done, total }) => {
            this.#work = { stage, done, total: total ?? null };
          },
          this.#stopped.signal,
        );
        this.#corpus = await corpusIn(directory);
      }
      this.#work = { stage: "opening", done: 0, total: null };
      await begin({ ...settings, startPaused: order.paused });
      await text.discard().catch(() => {}); // the shards hold it now; a next start clears what is left
    } catch (error) {
      this.#failed = this.#explain(error);
      this.#work = null;
    }
  }

  #explain(error: unknown): NonNullable<SetupState["failed"]> {
    if (error instanceof CorpusFailed) return { code: error.code, message: error.message };
    if (error instanceof SettingsError) return { code: "bad-request", message: error.message };
    if (!this.#stopped.signal.aborted) this.#parts.errors.error({ err: error }, "a run could not be made");
    return { code: "internal-error", message: "the run could not be made; the server’s log says why" };
  }

  #vocabulary({ vocabulary }: SetupOrder): number {
    return this.#corpus?.vocabulary ?? vocabulary;
  }

  #refuseWorking(): void {
    if (this.#work !== null) throw new ProtocolError("not-ready", "the run is being made");
  }
}

async function corpusIn(directory: string): Promise<CorpusSummary> {
  const { index } = await readCorpus(directory);
  return { vocabulary: index.vocabulary, tokens: index.tokens, bytes: index.bytes };
}

function settingsOf(order: SetupOrder): Settings {
  try {
    const settings = parseSettings(order.settings);
    requireShown(settings);
    return settings;
  } catch (error) {
    if (error instanceof SettingsError) throw new ProtocolError("bad-request", error.message);
    throw error;
  }
}
