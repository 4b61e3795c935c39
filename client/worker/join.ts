import { ProtocolError } from "../../protocol/errors.ts";
import type { LoopDeps, Progress, RoundDeps } from "./deps.ts";
import { EventSubscription } from "./event-subscription.ts";
import { catchUp } from "./prefetch.ts";
import { Replica } from "./replica.ts";
import { Throughput } from "./throughput.ts";
import { Waits } from "./waits.ts";
import { workOn } from "./work.ts";

/** Bytes of earlier versions kept for audits, which are of deltas a version or two old. */
const RECENT_BYTES = 48 * 1024 * 1024;
/** Milliseconds between two reports of download progress, at least. */
const PROGRESS_EVERY_MS = 100;

/** One run, until another one takes its place. Throws everything that ends the loop. */
export async function joinRun(deps: LoopDeps): Promise<void> {
  const { api, control, report } = deps;
  const { signal } = control;
  const events = new EventSubscription(deps);
  const waits = new Waits({ ...deps, events });
  const manifest = await waits.until(() => api.manifest({ signal }));
  const { cache, identity, file, trainers, openAuditor, loadTokenizer } = await deps.open(manifest);
  const { parameters } = manifest;
  const progress = calmProgress(deps);
  const { clock } = deps;
  const throughput = new Throughput();
  const timed = () => {
    const asked = clock();
    return (bytes: number) => throughput.received(bytes, clock() - asked);
  };
  const moved = deps.moved && { moved: deps.moved };
  const replica = await Replica.open({
    ...{ api, cache, file, parameters, signal, progress, timed, ...moved },
    ...(manifest.audits && openAuditor && { recent: RECENT_BYTES }),
  });
  const tokenizer = lazily(
    async () => loadTokenizer(await api.tokenizer(manifest, { signal })),
    (missing) => report({ type: "missing", part: "tokenizer", missing }),
  );
  const parts = { cache, identity, manifest, replica, trainers, throughput, events };
  const round: RoundDeps = {
    ...{ ...deps, ...parts, progress, tokenizer },
    ...(manifest.audits && openAuditor && { openAuditor }),
  };
  report({ type: "run", manifest, volunteer: identity.key });
  const ended = new AbortController();
  void events.listen(AbortSignal.any([signal, ended.signal]));
  try {
    if (manifest.state === "finished") throw new ProtocolError("run-finished", "the run is finished");
    await trainers.take(1); // the probe: its result is shown before anything large is fetched
    await catchUp(round, waits, manifest);
    await replica.save(); // a page closed before its time need not download everything again
    await workOn(round, waits);
  } finally {
    ended.abort();
    trainers.dispose();
    await replica.save();
  }
}

/** Tells a download's start, end and now and then its middle. */
function calmProgress({ control, clock }: Pick<RoundDeps, "control" | "clock">): Progress {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (what, bytes, total) => {
    if (control.phase === "training") return; // what is fetched meanwhile is nobody's wait
    if (bytes < total && clock() - reportedAt < PROGRESS_EVERY_MS) return;
    reportedAt = clock();
    control.enter({ phase: "downloading", what, bytes, total });
  };
}

/** Makes a value on first use; a failure is reported, and tried again on the next. */
function lazily<T>(
  make: () => Promise<T>,
  missing: (missing: boolean) => void,
): () => Promise<T | undefined> {
  let made: T | undefined;
  let reported = false;
  return async () => {
    made ??= await make().catch(() => undefined);
    const gone = made === undefined;
    if (gone !== reported) missing(gone);
    reported = gone;
    return made;
  };
}
