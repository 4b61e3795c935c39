import type { IndexedDelta } from "../store/store.ts";
import { type Acknowledged, acceptedOf, doneOfUpload, indexedOf } from "./acknowledged.ts";
import { requireSpace } from "./admission.ts";
import type { LiveRun } from "./live-run.ts";

export interface JournalKeeperParts {
  readonly run: Pick<LiveRun, "state"> & {
    readonly definition: { readonly rules: Pick<LiveRun["definition"]["rules"], "context" | "ranges"> };
    readonly events: Pick<LiveRun["events"], "record">;
    readonly quality: Pick<LiveRun["quality"], "gauge" | "audit">;
  };
}

/** Journals deltas itself: of a run that one server has. */
export class JournalKeeper {
  readonly #run: JournalKeeperParts["run"];

  constructor({ run }: JournalKeeperParts) {
    this.#run = run;
  }

  /** Measures the delta at once, before anything else can happen. Rejects with `too-many-requests` where it must wait. */
  readonly keep = async (delta: Acknowledged): Promise<IndexedDelta> => {
    const { quality, state, definition, events } = this.#run;
    const { upload, norm, from } = delta;
    const facts = quality.gauge?.measure(doneOfUpload(upload), upload.frame, norm, from);
    if (facts !== undefined) requireSpace(facts, state);
    const event = acceptedOf(delta, definition.rules, facts);
    await events.record(event, upload.frame);
    const { ticket, volunteer, version, tokens } = event;
    quality.audit(upload, { ticket, volunteer, version, tokens, ...(facts && { facts }) });
    return indexedOf(delta, definition.rules.context);
  };
}
