import { getPriority, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { addFrames } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { sha256Now } from "../lib/signatures.ts";
import { readFrames } from "../store/block-reader.ts";
import type { FromMerger, ToMerger } from "./merge-messages.ts";
import { diffOf, finish, gather, type MergeRule, type Part, type Step, turn } from "./step.ts";
import { behind } from "./vectors.ts";

/** One of the merging threads; the main thread's side is merge-pool.ts, which replaces all of them when one has failed. */
const orthogonalizer = await Orthogonalizer.open();
const orthogonalize = orthogonalizer.apply.bind(orthogonalizer);

/** Unix niceness above that of the thread that accepts deltas, which goes first. */
const NICENESS = 5;
/** Unix niceness, the highest there is. */
const LAST = 19;
// On Linux "this process" is the calling thread; elsewhere it would be all of them.
if (process.platform === "linux") setPriority(0, Math.min(LAST, getPriority() + NICENESS));

let job: { readonly rule: MergeRule; readonly step: Step; readonly part: Part } | undefined;

parentPort?.on("message", (message: ToMerger) => {
  const before = process.threadCpuUsage();
  const spent = () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1e3;
  };
  try {
    const answer = hear(message);
    reply({ ...answer, ms: spent() }, answer.type === "copied" ? [answer.x.buffer, answer.diff.buffer] : []);
  } catch (error) {
    reply({ type: "failed", error: messageOf(error) }, []);
  }
});

type Answer = Exclude<FromMerger, { readonly type: "failed" }>;
type WithoutTime<T> = T extends unknown ? Omit<T, "ms"> : never;

const DONE = { type: "done" } as const;

function hear(message: ToMerger): WithoutTime<Answer> {
  if (message.type === "read") {
    const frames = message.blocks.map(({ place, records, at }) =>
      readFrames(place, records, message.memory, at),
    );
    return { type: "read", frames };
  }
  if (message.type === "begin") {
    const { rule, step, part } = message;
    job = { rule: { ...rule, orthogonalize }, step, part };
    step.next.theta.fill(0, part.from, part.to); // it may be used again
    return DONE;
  }
  if (job === undefined) throw new Error("nothing is being merged");
  const { rule, step, part } = job;
  switch (message.type) {
    case "add": {
      const { memory } = message;
      const frames = message.frames.map(({ at, bytes, share }) => ({
        frame: memory.subarray(at, at + bytes),
        share,
      }));
      addFrames(frames, step.next.theta, part.from, part.to);
      return DONE;
    }
    case "gather":
      gather(rule, step, part);
      return DONE;
    case "turn":
      turn(rule, step, rule.matrices[message.matrix]!);
      return DONE;
    case "finish":
      finish(rule, step, message.deltas, part);
      return DONE;
    case "copy": {
      const { head } = message;
      const x = behind(head?.length ?? 0, step.next.x);
      return { type: "copied", x, diff: diffOf(rule, step), model: head && modelOf(head, x) };
    }
  }
}

/** The hash of the file with the values in it; of the values where they lie so that it must be made elsewhere: none. */
function modelOf(head: Uint8Array, { buffer, byteOffset }: Float32Array<ArrayBuffer>): Hash | undefined {
  if (byteOffset !== head.length) return undefined;
  const file = new Uint8Array(buffer);
  file.set(head);
  return sha256Now(file);
}

function reply(message: FromMerger, transfer: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}
