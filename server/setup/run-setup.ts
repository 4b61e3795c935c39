import { ProtocolError } from "../../protocol/errors.ts";
import type { CorpusSummary, Estimate, SetupOrder, SetupState } from "../../protocol/setup.ts";
import { readCorpus } from "../corpus/shards.ts";
import { redeemLink } from "../operator/link.ts";
import type { Session } from "../operator/sessions.ts";
import { parseSettings, requireShown, type Settings, SettingsError } from "../run/settings.ts";
import { costsOf, estimateOf } from "./estimate.ts";
import type { SetupPort } from "./ports.ts";
import { TextWork, type TextWorkParts } from "./text-work.ts";

export interface SetupParts extends TextWorkParts {
  /** Opens the run, and serves it in place of this. */
  readonly begin: (settings: Settings) => Promise<void>;
}

/** Makes a run for a signed-in operator: takes the text, says what a size costs, and does the work beside the server. */
export class SetupService extends TextWork<SetupParts> implements SetupPort {
  #corpus: CorpusSummary | undefined;

  private constructor(parts: SetupParts, corpus: CorpusSummary | undefined) {
    super(parts, {
      busy: "the run is being made",
      failed: "the run could not be made; the server’s log says why",
      logged: "a run could not be made",
    });
    this.#corpus = corpus;
  }

  /** Throws a CorpusError where the directory's corpus is damaged. */
  static async open(parts: SetupParts, hasCorpus: boolean): Promise<SetupService> {
    return new SetupService(parts, hasCorpus ? await corpusIn(parts.directory) : undefined);
  }

  redeem(link: string): Promise<string | undefined> {
    return redeemLink(this.parts.directory, link, this.parts.wallClock());
  }

  async state(): Promise<Omit<SetupState, "operator">> {
    return { ...(await this.progress()), corpus: this.#corpus ?? null };
  }

  async estimate(order: SetupOrder): Promise<Estimate> {
    return estimateOf(settingsOf(order), this.#vocabulary(order));
  }

  /**
   * Begins to make the run; {@link state} tells how far it is. Throws `not-ready` where there is no text or one is
   * being made already, and `bad-request` for settings that cannot be.
   */
  async createRun(order: SetupOrder, by: Session): Promise<void> {
    this.refuse();
    const settings = settingsOf(order);
    const { parameters } = costsOf(settings, this.#vocabulary(order));
    if (order.text === "corpus" && this.#corpus === undefined) {
      throw new ProtocolError("not-ready", "there is no corpus yet");
    }
    if (order.text !== "corpus" && this.#corpus !== undefined) {
      throw new ProtocolError("not-ready", "this directory has its corpus already");
    }
    const file = order.text === "upload" ? this.parts.text.file : order.text;
    const stage = order.text === "corpus" ? "opening" : "reading";
    const action = `create run ${JSON.stringify(settings.name)}, ${parameters} parameters`;
    await this.start(stage, action, by, () => this.#make(file, order, settings));
  }

  async #make(file: string, order: SetupOrder, settings: Settings): Promise<void> {
    const { directory, text, begin } = this.parts;
    if (order.text !== "corpus") {
      await this.makeCorpus({
        ...{ dataDir: directory, file, vocabulary: order.vocabulary },
        context: settings.model.context,
        maxTextBytes: text.maxBytes,
      });
      this.#corpus = await corpusIn(directory);
    }
    this.work = { stage: "opening", done: 0, total: null };
    await begin({ ...settings, startPaused: order.paused });
    await text.discard().catch(() => {}); // the shards hold it now; a next start clears what is left
  }

  #vocabulary({ vocabulary }: SetupOrder): number {
    return this.#corpus?.vocabulary ?? vocabulary;
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
