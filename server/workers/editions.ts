import { bytesOf, utf8 } from "../../protocol/bytes.ts";
import { canonicalJson } from "../../protocol/canonical.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { AuditorData, WorkerData } from "../evaluate/messages.ts";

/** Digits that tell editions apart. */
const DIGITS = 16;

/** What audits and evaluations are measured with: of one edition, everybody comes to the same numbers. */
export interface Edition {
  readonly audits: string;
  readonly evaluations: string;
  /** Of matrices: the program alone. */
  readonly merges: string;
}

export interface EditionsParts {
  readonly auditor: () => Promise<AuditorData>;
  readonly evaluator: () => Promise<WorkerData>;
  /** Changes with the data. */
  readonly texts: () => number;
  /** Version of this program: another may measure otherwise. */
  readonly program: string;
}

/** The editions that a server has, computed again once its text has changed. */
export class Editions {
  readonly #parts: EditionsParts;
  #known: { readonly texts: number; readonly edition: Promise<Edition> } | undefined;

  constructor(parts: EditionsParts) {
    this.#parts = parts;
  }

  now(): Promise<Edition> {
    const texts = this.#parts.texts();
    if (this.#known?.texts === texts) return this.#known.edition;
    const known = { texts, edition: this.#compute() };
    this.#known = known;
    known.edition.catch(() => {
      if (this.#known === known) this.#known = undefined; // asked for again, it is tried again
    });
    return known.edition;
  }

  async #compute(): Promise<Edition> {
    const { auditor, evaluator, program } = this.#parts;
    const { options, gate } = await auditor();
    const { tokenizer, windows, added = [], prompt, ...about } = await evaluator();
    const texts = async (list: readonly Uint16Array[]) =>
      Promise.all(list.map((one) => sha256(bytesOf(one.slice()))));
    const digest = async (what: object) => (await sha256(utf8(canonicalJson(what)))).slice(0, DIGITS);
    return {
      merges: await digest({ program }),
      audits: await digest({ program, options, gate: await texts([gate]) }),
      evaluations: await digest({
        ...{ program, ...about, tokenizer: await sha256(tokenizer.slice()) },
        ...{ windows: await texts(windows), added: await texts(added), prompt: await texts([prompt]) },
      }),
    };
  }
}
