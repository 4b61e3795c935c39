import { ModelError } from "../../model/contract/config.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import type { RoundDeps } from "./deps.ts";
import type { LocalState } from "./local-state.ts";
import { passageOf } from "./passage.ts";
import type { Work } from "./prefetch.ts";
import { restOf } from "./time.ts";

/** The inner steps that were done on a ticket. */
export interface Trained {
  readonly trainer: Trainer;
  /** How many. */
  readonly steps: number;
  /** Those that were read. */
  readonly losses: readonly number[];
  /** Milliseconds that the steps took, rests aside. */
  readonly trainMs: number;
  /** When they began, by our own clock. */
  readonly started: number;
}

/** Losses are read this often: each reading waits for the device. */
const READ_EVERY_MS = 300;

/**
 * The inner steps; undefined when the lease ended sooner. `left` hears how many milliseconds of training lie ahead. Throws
 * ModelErrors of the device, and Stopped.
 */
export async function train(
  deps: RoundDeps,
  localState: LocalState,
  work: Work,
  left: (ms: number) => void,
): Promise<Trained | undefined> {
  const { manifest, control, clock, sleep, trainers } = deps;
  const { ticket, deadline, until, shard, weights } = work;
  const { context } = manifest.model;
  control.enter({ phase: "training" });
  const trainer = await trainers.take(ticket.batch, ticket.inner);
  const started = clock();
  await localState.begin(trainer, ticket, weights);
  let done = 0;
  let trainMs = 0;
  let lastRead = clock();
  const losses: number[] = [];
  /** Whether a pause ends the ticket: on a clock what is done by then counts now, and after the pause for little. */
  const pauses = () => control.checkpoint(done > 0 && ticket.trainFor !== undefined);
  for (const tokens of batchesOf(shard, ticket, context)) {
    if (done === 0)
      await showPassage(deps, trainer, tokens.subarray(0, context + 1), weights, ticket.version);
    if (await pauses()) break;
    if (clock() >= deadline) return undefined;
    // A step that would end after its time is not begun: the version would close without this delta.
    if (done > 0 && clock() + (clock() - started) / done > until) break;
    const begun = clock();
    let rested = 0;
    const rest = async (worked: number) => {
      const from = clock();
      await sleep(restOf(worked, control.share), control.signal);
      await control.checkpoint(); // a pause in the middle of a step lasts there: the device is to be free at once
      rested += clock() - from;
    };
    const all = control.share === 1; // then nothing is worth waiting for
    await trainer.step(tokens, ticket.batch, ticket.rates[done]!, all ? undefined : rest);
    done++;
    const reads = clock() - lastRead >= READ_EVERY_MS;
    if (reads) {
      losses.push(...(await trainer.losses()));
      lastRead = clock();
    }
    const took = clock() - begun - rested;
    trainMs += took;
    if (reads && done < ticket.steps)
      tell(deps, ticket, done, expectedOf(work, started, clock(), done), losses.at(-1), trainMs);
    // Resting after each step keeps the machine usable; resting for 0 still lets a stop or pause come in.
    await sleep(Math.max(0, restOf(took, control.share) - rested), control.signal);
    left(Math.min(((clock() - started) * (ticket.steps - done)) / done, until - clock()));
  }
  await pauses();
  return { trainer, steps: done, losses, trainMs, started };
}

/** Steps that will have been done when a ticket's time is over, as it looks after this many. */
function expectedOf({ ticket, until }: Work, started: number, now: number, done: number): number {
  const more = ((until - now) * done) / Math.max(1, now - started);
  return Math.min(ticket.steps, done + Math.max(0, Math.floor(more)));
}

/** Says how far a ticket is. */
export function tell(
  { manifest, report }: Pick<RoundDeps, "manifest" | "report">,
  ticket: Ticket,
  step: number,
  steps: number,
  loss = 0,
  trainMs = 0,
): void {
  const tokens = ticketTokens({ ...ticket, steps: step }, manifest.model.context);
  const tokensPerSecond = (tokens * 1_000) / Math.max(trainMs, 1);
  report({ type: "step", step, steps, loss, tokensPerSecond });
}

/** Our own refusal of numbers that no server takes. */
export const refusedAtHome = (error: ModelError): ProtocolError =>
  new ProtocolError("not-finite", error.message);

/** Shows what is about to be learned. No text to show is no reason not to train; a lost device is. */
async function showPassage(
  { manifest, tokenizer, report, inspection }: RoundDeps,
  trainer: Trainer,
  row: Uint16Array,
  weights: Float32Array,
  version: number,
): Promise<void> {
  try {
    const known = await tokenizer();
    if (known === undefined) return;
    inspection?.show({
      shape: manifest.model,
      tokenizer: known,
      tokens: row.subarray(0, -1),
      weights,
      version,
    });
    report({ type: "passage", passage: await passageOf(trainer, known, row, version) });
  } catch (error) {
    if (error instanceof ModelError && error.code.startsWith("device-")) throw error;
  }
}
