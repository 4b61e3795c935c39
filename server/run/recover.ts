import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Created } from "../coordinator/events.ts";
import { begin, restarted } from "../coordinator/state.ts";
import type { Log } from "../lib/log.ts";
import { initialVectors, type KnownVectors, type Vectors } from "../merge/vectors.ts";
import { type Store, StoreError } from "../store/store.ts";
import { type Checkpoint, readCheckpoints } from "./checkpoint.ts";
import { Diffs } from "./diffs.ts";
import type { RunDefinition } from "./genesis.ts";
import { versionBytes } from "./next-version.ts";
import type { RunOptions } from "./options.ts";
import type { Projections } from "./projections.ts";
import { decodeRecord } from "./record.ts";
import { remerge } from "./remerge.ts";
import { type Observer, type Replay, replay } from "./replay.ts";
import type { Stored } from "./retention.ts";
import { loadSnapshot, snapshotNames, storedSnapshots } from "./snapshots.ts";

/** A run as its journal tells it. */
export interface Recovered {
  readonly definition: RunDefinition;
  readonly projections: Projections;
  readonly vectors: Vectors;
  /** The published file of the current version. */
  readonly file: Uint8Array<ArrayBuffer>;
  readonly stored: Stored;
}

/** A version whose vectors are at hand. */
interface Start {
  readonly version: number;
  readonly vectors: Vectors;
}

/**
 * Reads the journal, from the newest checkpoint where that can be used: applies what was decided (and decides
 * nothing), brings the index up to date, then rebuilds the vectors from the newest sound snapshot by merging
 * again what was merged since, and holds every hash against the one that was published. Throws a StoreError
 * where they differ. `observe` sees every event that is read. `known` are the vectors of a version of the run that this
 * process has made itself: no snapshot is read then.
 */
export async function recover(
  store: Store,
  definitionOf: (created: Created) => Promise<RunDefinition>,
  log: Log,
  observe: NonNullable<RunOptions["observe"]> = () => {},
  { merger, warming, known }: Pick<RunOptions, "merger" | "warming" | "known"> = {},
): Promise<Recovered> {
  const created = await creation(store);
  const definition = await definitionOf(created);
  const { index } = store;
  const isOwn = index.run === definition.id;
  const lost = index.applied - store.length;
  if (isOwn && lost > 0) {
    const fields = { records: store.length, indexed: index.applied, lost };
    log.warn(fields, "the journal has lost its last records: the run goes on from what is left of it");
  }
  if (!isOwn || lost > 0) index.clear(definition.id);
  const warn = (error: unknown) => log.warn({ error: String(error) }, "a snapshot cannot be used");

  const observer: Observer = (event, { ended }) => observe(event, ended);
  const made = known?.();
  const { checkpoint, replayed, start } =
    (await sinceCheckpoint(store, definition, created, observer, warn, made)) ??
    (await fromBeginning(store, definition, observer, warn, made));
  let { vectors } = start;
  for (const version of replayed.versions) {
    if (version.version > start.version)
      vectors = await remerge(store, definition, vectors, version, merger ?? warming);
  }
  const stored = await storedSnapshots(store);
  const places = [...(checkpoint?.places.slice(0, -1) ?? []), ...replayed.versions];
  const { projections } = replayed;
  projections.state = restarted(projections.state);
  return {
    definition,
    projections,
    ...versionBytes(definition.task, vectors),
    stored: {
      // One after the start cannot be read, unless a roll-back went there: then it was.
      places: places.filter(
        (place) =>
          stored.has(place.hash) &&
          (place.version <= start.version || ("rolledBack" in place && place.rolledBack)),
      ),
      names: await snapshotNames(store),
      diffs: await Diffs.open(store),
    },
  };
}

/** The first event of every journal. Throws a StoreError. */
export async function creation(store: Store): Promise<Created> {
  if (store.length === 0) throw new StoreError("the journal is empty");
  const { event } = decodeRecord(await store.read(0));
  if (event.type === "created") return event;
  throw new StoreError("the journal does not begin with a run's creation");
}

interface Beginning {
  readonly checkpoint?: Checkpoint;
  readonly replayed: Replay;
  readonly start: Start;
}

/** From the newest checkpoint whose snapshot is sound, unless the index has lost something before it. */
async function sinceCheckpoint(
  store: Store,
  definition: RunDefinition,
  created: Created,
  observe: Observer,
  warn: (error: unknown) => void,
  known: KnownVectors | undefined,
): Promise<Beginning | undefined> {
  for (const checkpoint of await readCheckpoints(store, begin(created), warn)) {
    const place = checkpoint.places.at(-1);
    const usable = checkpoint.applied <= store.length && store.index.applied >= checkpoint.applied;
    if (place === undefined || !usable) continue;
    const load = () => loadSnapshot(store, definition.task, place.hash);
    const isNewer = known !== undefined && known.version >= place.version;
    const stored = isNewer ? undefined : await load().catch(warn);
    if (!isNewer && stored === undefined) continue;
    // Whether the journal has the known version only the replay shows. Where it has not, and the snapshot is damaged, an
    // older one is replayed from: nobody is to see an event twice.
    const seen: Parameters<Observer>[] = [];
    const see: Observer = (event, about) => void seen.push([event, about]);
    const replayed = await replay(store, definition, checkpoint, () => false, isNewer ? see : observe, false);
    const isThere = isNewer && isIn(replayed, known);
    const vectors = isThere ? known.vectors : (stored ?? (await load().catch(warn)));
    if (vectors === undefined) continue;
    for (const [event, about] of seen) await observe(event, about);
    return { checkpoint, replayed, start: { version: isThere ? known.version : place.version, vectors } };
  }
  return undefined;
}

const isIn = ({ versions }: Replay, known: KnownVectors): boolean =>
  versions.some(({ version, hash }) => version === known.version && hash === known.hash);

/** From the newest version that is known, or whose snapshot can be read; failing all, from version 0, drawn again from its seed. */
async function fromBeginning(
  store: Store,
  definition: RunDefinition,
  observe: Observer,
  warn: (error: unknown) => void,
  known: KnownVectors | undefined,
): Promise<Beginning> {
  const stored = await storedSnapshots(store);
  const starts = (hash: Hash) => stored.has(hash);
  const replayed = await replay(store, definition, undefined, starts, observe, false);
  for (const { version, hash } of replayed.versions.toReversed()) {
    if (version === known?.version && hash === known.hash)
      return { replayed, start: { version, vectors: known.vectors } };
    if (!stored.has(hash)) continue;
    const vectors = await loadSnapshot(store, definition.task, hash).catch(warn);
    if (vectors !== undefined) return { replayed, start: { version, vectors } };
  }
  const whole = await replay(
    store,
    definition,
    undefined,
    () => false,
    () => {},
    false,
  );
  const vectors = initialVectors(await definition.task.initial(definition.settings.seed));
  if ((await sha256(definition.task.encode(vectors.x))) !== whole.versions[0]!.hash) {
    throw new StoreError("no snapshot can be used, and the seed does not give version 0 again");
  }
  return { replayed: whole, start: { version: 0, vectors } };
}
