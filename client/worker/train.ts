import { ModelError } from "../../model/contract/config.ts";
import type { DeviceReport, Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { MAX_LABEL, MAX_LOSS } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import type { RoundDeps } from "./deps.ts";
import type { LocalState, PackedDelta } from "./local-state.ts";
import { passageOf } from "./passage.ts";
import type { Work } from "./prefetch.ts";
import { restOf } from "./time.ts";

/** A finished ticket's result. */
export interface Done {
  readonly packed: PackedDelta;
  /** The upload. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Inner steps that it is made of. */
  readonly steps: number;
  /** Milliseconds of one, rests aside. */
  readonly stepMs: number;
}

/** Losses are read this often: each reading waits for the device. */
const READ_EVERY_MS = 300;

/**
 * The inner steps, and then, once `before` has resolved, the upload made of them; undefined when the lease ended
 * sooner. `left` hears how many milliseconds of training lie ahead. Whatever throws, nothing of the ticket is sent:
 * ModelErrors of the device, `not-finite` where the training led there, and Stopped.
 */
export async function train(
  deps: RoundDeps,
  localState: LocalState,
  work: Work,
  left: (ms: number) => void,
  before: () => Promise<unknown>,
): Promise<Done | undefined> {
  const { manifest, control, clock, sleep, trainers, throughput } = deps;
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
  for (const tokens of batchesOf(shard, ticket, context)) {
    if (done === 0)
      await showPassage(deps, trainer, tokens.subarray(0, context + 1), weights, ticket.version);
    await control.checkpoint();
    if (clock() >= deadline) return undefined;
    // A step that would end after its time is not begun: the version would close without this delta.
    if (done > 0 && clock() + (clock() - started) / done > until) break;
    const begun = clock();
    let rested = 0;
    const rest = async (worked: number) => {
      const from = clock();
      await sleep(restOf(worked, control.share), control.signal);
      await control.checkpoint();
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
  await control.checkpoint();
  const waiting = clock();
  await before();
  const idle = clock() - waiting;
  const packed = await localState.pack(trainer, ticket);
  losses.push(...(await trainer.losses())); // came with the payload
  throughput.trained(ticketTokens({ ...ticket, steps: done }, context), clock() - started - idle);
  tell(deps, ticket, done, done, losses.at(-1), trainMs);
  const loss = losses.reduce((total, one) => total + one, 0) / losses.length;
  if (!Number.isFinite(loss)) throw new ModelError("not-finite", `the loss is ${loss}`);
  trainers.proved();
  const self = {
    loss: Math.min(loss, MAX_LOSS),
    trainMs: Math.round(trainMs),
    device: labelOf(trainer.report),
    ...(ticket.trainFor !== undefined && { steps: done }),
  };
  const body = encodeUpload(ticket, self, await sentOf(manifest, ticket, packed.frame));
  return { packed, body, steps: done, stepMs: trainMs / done };
}

/** A frame as it is sent: packed where the server takes that, and where what packs it can be fetched. */
const sentOf = async (manifest: Manifest, ticket: Ticket, frame: Uint8Array<ArrayBuffer>) =>
  manifest.packed
    ? import("./payload-packing.ts").then(
        (part) => part.packedFor(manifest, ticket, frame),
        () => frame,
      )
    : frame;

const labelOf = ({ device, detail }: DeviceReport): string => `${device}, ${detail}`.slice(0, MAX_LABEL);

/** Steps that will have been done when a ticket's time is over, as it looks after so many. */
function expectedOf({ ticket, until }: Work, started: number, now: number, done: number): number {
  const more = ((until - now) * done) / Math.max(1, now - started);
  return Math.min(ticket.steps, done + Math.max(0, Math.floor(more)));
}

function tell(
  { manifest, report }: RoundDeps,
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
