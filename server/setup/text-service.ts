import type { AddedSummary, TextOrder, TextState } from "../../protocol/added-text.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { Session } from "../operator/sessions.ts";
import type { Run } from "../run/run.ts";
import { discardFetched, type FetchedText, type FetchOptions, fetchText } from "./fetched-text.ts";
import type { TextPort } from "./ports.ts";
import { TextWork, type TextWorkParts } from "./text-work.ts";

/** Texts that are listed, the newest. */
const MAX_LISTED = 100;

type Text = Omit<AddedSummary, "waits">;

export interface TextParts extends TextWorkParts {
  readonly run: Pick<Run, "status">;
  /** Has the run take in what was added. */
  readonly take: () => Promise<void>;
  /** What a test puts in the place of the internet. */
  readonly fetching?: Pick<FetchOptions, "resolve" | "isAllowed" | "idleMs">;
}

/** Adds text to a run for its signed-in operator, beside the server's other work: one text at a time. */
export class TextService extends TextWork<TextParts> implements TextPort {
  #texts: readonly Text[];

  private constructor(parts: TextParts, texts: readonly Text[]) {
    super(parts, {
      busy: "a text is being added",
      failed: "the text was not added; the server’s log says why",
      logged: "text could not be added",
    });
    this.#texts = texts;
  }

  /** Throws a CorpusError where the directory's corpus is damaged. */
  static async open(parts: TextParts): Promise<TextService> {
    return new TextService(parts, await textsIn(parts.directory));
  }

  async state(): Promise<Omit<TextState, "operator">> {
    const taken = this.parts.run.status().added?.texts ?? 0;
    return {
      ...(await this.progress()),
      texts: this.#texts.map((text, i) => ({ ...text, waits: i >= taken })).slice(-MAX_LISTED),
    };
  }

  /**
   * Begins to add a text; {@link state} tells how far it is. Throws `not-ready` where there is none or one is being
   * added already, and `run-finished`.
   */
  async add(order: TextOrder, by: Session): Promise<void> {
    this.refuse();
    const { text } = this.parts;
    const source =
      order.from === "upload" ? { file: text.file, name: text.upload?.name ?? "text" } : order.from;
    const stage = "url" in source ? "fetching" : "comparing";
    const action = `add text ${JSON.stringify("url" in source ? source.url : source.name)}, weight ${order.weight}`;
    await this.start(stage, action, by, (signal) => this.#make(source, order, signal));
  }

  protected override refuse(): void {
    super.refuse();
    if (this.parts.run.status().state === "finished") {
      throw new ProtocolError("run-finished", "a finished run takes no text");
    }
  }

  async #make(
    source: FetchedText | { readonly url: string },
    order: TextOrder,
    signal: AbortSignal,
  ): Promise<void> {
    const { weight, duplicates } = order;
    const { directory, text, run, take } = this.parts;
    const { context, vocabulary } = run.status().model;
    const { file, name } = "url" in source ? await this.#fetch(source.url, signal) : source;
    await this.makeCorpus({
      ...{ dataDir: directory, file, context, vocabulary, maxTextBytes: text.maxBytes },
      beside: { name, weight, duplicates },
    });
    this.#texts = await textsIn(directory);
    await take();
    await (order.from === "upload" ? text.discard() : discardFetched(directory)).catch(() => {}); // the shards hold it now; it can be discarded from the page
    this.work = null;
  }

  #fetch(url: string, signal: AbortSignal): Promise<FetchedText> {
    const { directory, text, fetching } = this.parts;
    return fetchText(url, {
      ...{ directory, maxBytes: text.maxBytes, signal, ...fetching },
      onProgress: (done, total) => {
        this.work = { stage: "fetching", done, total: total ?? null };
      },
    });
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
