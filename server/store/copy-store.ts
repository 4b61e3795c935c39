import { splitRecord } from "./record-parts.ts";
import { type Shelf, type Store, StoreError } from "./store.ts";

/** Records appended at once: what one fsync of the copy makes durable. */
const AT_ONCE = 256;
/** Names on the shelf `run` that are a run's: the data directory itself holds other files beside them. */
const OF_RUN =
  /^(?:run|people|links|teams|tuning|card|forgotten-\w+)\.json$|^drain$|^completions$|^start\.safetensors$/;

/** Of those, what people said of themselves. */
const OF_PEOPLE = /^(?:people|links|teams|forgotten-\w+)\.json$/;

/** Whether an object on the shelf `run` belongs to the run. */
export const isOfRun = (name: string): boolean => OF_RUN.test(name);
/** Whether an object is nobody else's to read. */
export const isSecret = (name: string): boolean => OF_PEOPLE.test(name);

export interface Copied {
  readonly records: number;
  readonly objects: number;
}

/**
 * Copies a run from one store to another: its journal, record by record under the same numbers, and what is stored
 * beside it, but not the run's key. Goes on where an earlier copy was interrupted. Rejects with a StoreError where the
 * target has a run of its own.
 */
export async function copyStore(from: Store, to: Store): Promise<Copied> {
  let objects = 0;
  for (const shelf of ["run", "snapshots", "diffs"] as const) objects += await copyShelf(from, to, shelf);
  let waiting: Promise<number>[] = [];
  const there = to.length;
  for await (const { sequence, record } of from.records()) {
    if (sequence < there) {
      if (Buffer.compare(await to.read(sequence), record) === 0) continue;
      throw new StoreError(
        "the copy's place holds the journal of another run, or of this one's other future",
      );
    }
    const { head, frame } = splitRecord(record);
    waiting.push(to.append(head, frame));
    if (waiting.length < AT_ONCE) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
  if (to.length !== from.length)
    throw new StoreError(`the copy has ${to.length} records, not ${from.length}`);
  return { records: to.length, objects };
}

async function copyShelf(from: Store, to: Store, shelf: Shelf): Promise<number> {
  let objects = 0;
  for (const name of await from.list(shelf)) {
    if (shelf === "run" && !isOfRun(name)) continue;
    const bytes = await from.get(shelf, name);
    if (bytes === undefined) continue;
    await to.put(shelf, name, bytes, isSecret(name) ? "secret" : undefined);
    objects += 1;
  }
  return objects;
}
