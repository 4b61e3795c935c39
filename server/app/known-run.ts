import { type RunDefinition, readDefinition } from "../run/genesis.ts";
import type { RunCorpus, TaskFactory } from "../run/options.ts";
import { decodeRecord } from "../run/record.ts";
import { serverIdentity } from "../run/server-key.ts";
import { type Store, StoreError } from "../store/store.ts";
import { type Begun, begunWith } from "./start.ts";

/** A run that another process serves, and the corpus that it has. */
export interface KnownRun extends Begun {
  readonly definition: RunDefinition;
}

/** What the run of a store is. Rejects with a StoreError where it has not begun, or began with another key or corpus. */
export async function knownRun(store: Store, corpus: RunCorpus, task: TaskFactory): Promise<KnownRun> {
  if (store.length === 0) throw new StoreError("the run has not begun");
  const begun = await begunWith(store, undefined, task, corpus);
  const { event } = decodeRecord(await store.read(0));
  if (event.type !== "created") throw new StoreError("the journal does not begin with a run");
  const identity = await serverIdentity(store);
  const definition = await readDefinition(event, identity, begun.corpus, begun.task, undefined);
  return { ...begun, definition };
}
