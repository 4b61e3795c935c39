import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Evaluator, WritingOrder, Written } from "../evaluate/ports.ts";
import type { Store } from "../store/store.ts";
import type { LiveRun } from "./live-run.ts";

const FILE = "completions";
const NOTE = { on: "on\n", off: "off\n" };

/** What the model writes for whoever asks, where the operator lets it: by the evaluator, when it has time. */
export class Completions {
  readonly #store: Store;
  readonly #run: LiveRun;
  readonly #evaluator: Evaluator | undefined;
  #on: boolean;

  private constructor(store: Store, run: LiveRun, evaluator: Evaluator | undefined, on: boolean) {
    this.#store = store;
    this.#run = run;
    this.#evaluator = evaluator;
    this.#on = on;
  }

  /** Off until an operator turns it on; noted beside the journal, since it decides nothing that a replay needs. */
  static async open(store: Store, run: LiveRun, evaluator: Evaluator | undefined): Promise<Completions> {
    const note = await store.get("run", FILE);
    const on = note !== undefined && new TextDecoder().decode(note) === NOTE.on;
    return new Completions(store, run, evaluator, on);
  }

  get on(): boolean {
    return this.#on && this.#evaluator?.write !== undefined;
  }

  /** Is durable when this resolves. */
  async set(on: boolean): Promise<void> {
    await this.#store.put("run", FILE, utf8(on ? NOTE.on : NOTE.off));
    this.#on = on;
  }

  /**
   * Has the current version write; `part` gets the text as it comes, until `left` is aborted. Rejects with `not-found` where it is off, and
   * `too-many-requests` while the evaluator is at work.
   */
  async write(
    order: WritingOrder,
    part: (text: string) => void,
    left?: AbortSignal,
  ): Promise<Written & { readonly version: number }> {
    const { state, versions, closed } = this.#run;
    const write = this.#evaluator?.write;
    if (!this.#on || write === undefined || closed) {
      throw new ProtocolError("not-found", "this server writes for nobody");
    }
    const { version } = state;
    const { x } = versions.current.vectors;
    return { ...(await write({ version, weights: x }, order, part, left)), version };
  }
}
