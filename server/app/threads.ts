import type { ThreadAuditor } from "../evaluate/auditor.ts";
import type { ThreadEvaluator } from "../evaluate/evaluator.ts";
import { ThreadPool } from "../lib/thread-pool.ts";
import { Turns } from "../lib/turns.ts";
import type { ThreadMerger } from "../merge/merge-pool.ts";
import type { RunOptions } from "../run/options.ts";

/** Threads of each kind that are kept without work, of all runs together: each holds some 10 MB. */
const MAX_IDLE = 4;

/** Uploads that are checked and journaled at once, of all runs together: enough for several to share one sync of a journal. */
const MAX_CHECKED = 16;

/**
 * What several runs have of threads, by kind: an evaluation never waits for an audit, and a merge for neither. And the
 * turns of their uploads on the event loop.
 */
export interface Threads {
  readonly uploads: Turns;
  readonly merging: ThreadPool;
  readonly evaluating: ThreadPool;
  readonly auditing: ThreadPool;
}

/** For a machine of this many cores, of which one is left to the event loop. */
export const openThreads = (cores: number): Threads => ({
  uploads: new Turns(MAX_CHECKED),
  merging: new ThreadPool({ working: Math.max(1, cores - 1), idle: MAX_IDLE }),
  evaluating: new ThreadPool({ working: 1, idle: MAX_IDLE }),
  auditing: new ThreadPool({ working: 1, idle: MAX_IDLE }),
});

/** A run's threads. */
export interface OwnThreads {
  readonly merger: ThreadMerger;
  readonly evaluator: ThreadEvaluator;
  readonly auditor: ThreadAuditor;
}

/** The same, each piece of work when it is the run's turn; at once where the run has the process for itself. */
export function inTurn(
  own: OwnThreads,
  threads: Threads | undefined,
): Required<Pick<RunOptions, "merger" | "evaluator" | "auditor">> {
  if (threads === undefined) return own;
  const { merger, evaluator, auditor } = own;
  const { merging, evaluating, auditing } = threads;
  return {
    merger: { merge: (rule, job) => merging.run(merger, () => merger.merge(rule, job)) },
    evaluator: {
      evaluate: (version, weights) => evaluating.run(evaluator, () => evaluator.evaluate(version, weights)),
      write: (...order) => evaluating.run(evaluator, () => evaluator.write(...order)),
    },
    auditor: {
      audit: (job) => auditing.run(auditor, () => auditor.audit(job)),
      direct: (job) => auditing.run(auditor, () => auditor.direct(job)),
      effects: (job) => auditing.run(auditor, () => auditor.effects(job)),
    },
  };
}
