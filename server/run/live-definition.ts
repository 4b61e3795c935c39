import type { TextAdded } from "../coordinator/events.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import { addedAt, type RunDefinition, rulesOf } from "./genesis.ts";
import type { RunCorpus } from "./options.ts";
import type { Settings } from "./settings.ts";

/** What a run decides by: the operator may tune it, and text that comes in adds to it. */
export class LiveDefinition {
  readonly #corpus: Pick<RunCorpus, "train" | "added">;
  #current: RunDefinition;

  constructor(definition: RunDefinition, corpus: Pick<RunCorpus, "train" | "added">) {
    this.#current = definition;
    this.#corpus = corpus;
  }

  readonly current = (): RunDefinition => this.#current;

  readonly rules = (): Rules => this.#current.rules;

  /** Decides by these settings and texts from here on. What was decided before is journaled and stays. */
  tune(settings: Settings, texts: State["texts"]): void {
    const { id, task } = this.#current;
    const rules = rulesOf(id, settings, this.#corpus, task.parameters, texts);
    this.#current = { ...this.#current, settings, rules };
  }

  /** Throws a StoreError while the next text after `texts` is not in the directory. */
  requireText(text: TextAdded["text"], texts: State["texts"]): void {
    addedAt(this.#corpus.added?.() ?? [], texts.length, text);
  }
}
