import { readCorpus } from "../learning/corpus.ts";
import type { Sharding } from "./job.ts";

/** What a run trains and is measured on. */
export interface AttackCorpus {
  /** Each volunteer's text: all of it, or a part of its own, decades from the others'. */
  textOf(volunteer: number, volunteers: number, sharding: Sharding): Uint16Array;
  readonly gate: Uint16Array;
  readonly heldOut: Uint16Array;
  readonly shards: Awaited<ReturnType<typeof readCorpus>>["train"];
}

/** The State of the Union addresses in order of time, so that parts differ in who speaks, and of what. */
export async function attackCorpus(): Promise<AttackCorpus> {
  const corpus = await readCorpus("sotu");
  const pieces = corpus.train.map(({ hash }) => corpus.shard(hash));
  const all = new Uint16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  // Every tenth part of the held-out text plays the gate text, which the server alone knows.
  const gate: number[] = [];
  const rest: number[] = [];
  const part = Math.ceil(corpus.heldOut.length / 100);
  for (let i = 0; i < corpus.heldOut.length; i += part) {
    (Math.floor(i / part) % 10 === 0 ? gate : rest).push(...corpus.heldOut.subarray(i, i + part));
  }
  return {
    shards: corpus.train,
    gate: Uint16Array.from(gate),
    heldOut: Uint16Array.from(rest),
    textOf(volunteer, volunteers, sharding) {
      if (sharding === "iid") return all;
      const length = Math.floor(all.length / volunteers);
      return all.subarray(volunteer * length, (volunteer + 1) * length);
    },
  };
}
