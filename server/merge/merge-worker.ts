import { getPriority, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { BlockReader } from "../store/block-reader.ts";
import { frameOf } from "../store/record-parts.ts";
import type { RecordPlace } from "../store/store.ts";
import { WeightedMean } from "./mean.ts";
import { advance, type MergeRule, type Vectors } from "./merge.ts";
import type { FromMerger, ToMerger } from "./merge-messages.ts";

/** The merging thread; the main thread's side is merge-thread.ts, which replaces it after a failure. */
const orthogonalizer = await Orthogonalizer.open();
const orthogonalize: typeof orthogonalizer.apply = (...args) => {
  reply({ type: "working" }, []);
  orthogonalizer.apply(...args);
};
const reader = new BlockReader();

/** Unix niceness above that of the thread that accepts deltas, which goes first. */
const NICENESS = 5;
/** Unix niceness, the highest there is. */
const LAST = 19;
// On Linux "this process" is the calling thread; elsewhere it would be all of them.
if (process.platform === "linux") setPriority(0, Math.min(LAST, getPriority() + NICENESS));

/** Of the newest version that was merged here, moved on in place. */
let held: Vectors | undefined;
let job:
  | { rule: MergeRule; mean: WeightedMean; weights: readonly number[]; added: number; lead: number }
  | undefined;

parentPort?.on("message", (message: ToMerger) => {
  try {
    hear(message);
  } catch (error) {
    reply({ type: "failed", error: messageOf(error) }, []);
  }
});

function hear(message: ToMerger): void {
  if (message.type === "begin") {
    held = message.vectors ?? held;
    if (held === undefined) throw new Error("there is no version to go on from");
    const { rule, weights, lead } = message;
    const mean = new WeightedMean(held.x.length, weights, rule.total);
    job = { rule: { ...rule, orthogonalize }, mean, weights, added: 0, lead };
    addFrom(message.places ?? [], mean, weights);
    return;
  }
  if (job === undefined || held === undefined) throw new Error("nothing is being merged");
  if (message.type === "frame") {
    job.mean.add(message.frame, job.weights[job.added++]!);
    reply({ type: "added" }, []);
    return;
  }
  const { diff, norm } = advance(held, job.mean.values, job.weights, job.rule);
  const { lead } = job;
  job = undefined;
  const vectors = { x: behind(lead, held.x), theta: held.theta.slice(), momentum: held.momentum.slice() };
  const { x, theta, momentum } = vectors;
  reply({ type: "merged", merged: { vectors, diff, norm } }, [
    x.buffer,
    theta.buffer,
    momentum.buffer,
    diff.buffer,
  ]);
}

/** Adds what lies in the journal, read here: on its way through the thread that takes deltas it would cost that more. */
function addFrom(places: readonly RecordPlace[], mean: WeightedMean, weights: readonly number[]): void {
  try {
    for (const [i, place] of places.entries()) {
      if (!reader.fits(place)) mean.flush();
      if (mean.waiting === 0) {
        reader.forget();
        reply({ type: "working" }, []);
      }
      mean.add(frameOf(reader.read(place)), weights[i]!);
    }
    mean.flush();
  } finally {
    reader.close();
  }
}

/** A copy behind so many bytes of a buffer of its own. */
function behind(lead: number, values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (lead % values.BYTES_PER_ELEMENT > 0) return values.slice();
  const copy = new Float32Array(new ArrayBuffer(lead + values.byteLength), lead);
  copy.set(values);
  return copy;
}

function reply(message: FromMerger, transfer: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}
