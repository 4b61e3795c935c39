import { batchesOf } from "../../model/batches.ts";
import { ModelError } from "../../model/config.ts";
import type { DeviceReport, Trainer } from "../../model/trainer.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { MAX_LABEL } from "../../protocol/limits.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { KEYS, type VolunteerState } from "../cache/entries.ts";
import { shardOf } from "../cache/shards.ts";
import { afterRefusal, momentsFor, pack, type Trained } from "./carry.ts";
import type { RoundDeps } from "./deps.ts";
import { passageOf } from "./passage.ts";
import { sendUntil } from "./send.ts";

/** How a ticket ended, and what the volunteer carries on. */
export interface RoundEnd {
  readonly end: "sent" | "refused" | "expired";
  readonly state: VolunteerState | undefined;
}

/** Losses are read this often: each reading waits for the device. */
const READ_EVERY_MS = 300;

/**
 * One ticket from the text to the receipt. `deadline` is the end of the lease by our own clock. Whatever
 * throws, nothing of the ticket is sent and the state is as it was: errors of the Api and
 * Replica.sync, ModelErrors of the device, and Stopped.
 */
export async function runTicket(
  deps: RoundDeps,
  ticket: Ticket,
  deadline: number,
  state: VolunteerState | undefined,
): Promise<RoundEnd> {
  const { api, cache, control, manifest, replica, trainers } = deps;
  const progress = (bytes: number, total: number) => deps.progress("text", bytes, total);
  const shard = await shardOf(cache, ticket.shard, () =>
    api.shard(ticket.shard, { signal: control.signal, progress }),
  );
  const weights = await replica.sync(ticket.version, ticket.hash);
  control.enter({ phase: "training" });
  const trainer = await trainers.take(ticket.batch);
  await trainer.load(weights, momentsFor(state, ticket));
  const trained = await train(deps, trainer, ticket, deadline, shard, weights);
  if (trained === undefined) return { end: "expired", state };
  trainers.proved();
  return settle(deps, trainer.report, ticket, deadline, state, trained, manifest.residualDecay);
}

interface Run extends Trained {
  /** Mean loss over the steps. */
  readonly loss: number;
  readonly trainMs: number;
}

/** The inner steps; undefined when the lease ended before them. */
async function train(
  deps: RoundDeps,
  trainer: Trainer,
  ticket: Ticket,
  deadline: number,
  shard: Uint16Array,
  weights: Float32Array,
): Promise<Run | undefined> {
  const { manifest, control, report, clock, sleep } = deps;
  const { context } = manifest.model;
  let done = 0;
  let trainMs = 0;
  let lastRead = clock();
  const losses: number[] = [];
  for (const tokens of batchesOf(shard, ticket, context)) {
    if (done === 0)
      await showPassage(deps, trainer, tokens.subarray(0, context + 1), weights, ticket.version);
    await control.turn();
    if (clock() >= deadline) return undefined;
    const begun = clock();
    await trainer.step(tokens, ticket.batch, ticket.rates[done]!);
    done++;
    if (done === ticket.steps || clock() - lastRead >= READ_EVERY_MS) {
      losses.push(...(await trainer.losses()));
      lastRead = clock();
    }
    const took = clock() - begun;
    trainMs += took;
    if (lastRead > begun) {
      const tokensPerSecond = (done * ticket.batch * context * 1_000) / Math.max(trainMs, 1);
      report({ type: "step", step: done, steps: ticket.steps, loss: losses.at(-1) ?? 0, tokensPerSecond });
    }
    // Resting after each step keeps the machine usable; resting for 0 still lets a stop or pause come in.
    await sleep((took * (1 - control.share)) / control.share, control.signal);
  }
  await control.turn();
  const loss = losses.reduce((total, one) => total + one, 0) / losses.length;
  return { delta: await trainer.delta(), moments: await trainer.moments(), loss, trainMs };
}

/** Packs, sends, and carries on by the answer (carry.ts has the table). */
async function settle(
  deps: RoundDeps,
  device: DeviceReport,
  ticket: Ticket,
  deadline: number,
  state: VolunteerState | undefined,
  trained: Run,
  decay: number,
): Promise<RoundEnd> {
  const { cache, report, manifest } = deps;
  const refuse = async (error: ProtocolError, next: VolunteerState | undefined): Promise<RoundEnd> => {
    report({ type: "refused", code: error.code, message: error.message });
    await cache.write({ [KEYS.volunteer]: next, [KEYS.pending]: undefined });
    return { end: "refused", state: next };
  };
  const parcel = packed(trained, state, ticket, decay);
  if (parcel instanceof ProtocolError) return refuse(parcel, undefined);
  const label = `${device.device}, ${device.detail}`.slice(0, MAX_LABEL);
  const self = { loss: trained.loss, trainMs: Math.round(trained.trainMs), device: label };
  const body = encodeUpload(ticket, self, parcel.frame);
  // A page that is closed now finds the same bytes on its next visit, and the server knows them again.
  await cache.write({ [KEYS.pending]: body });
  const answer = await sendUntil(deps, ticket, body, parcel.frame, deadline);
  if (answer instanceof ProtocolError) return refuse(answer, afterRefusal(parcel, answer.code));
  const next = answer === "taken" ? parcel.taken : parcel.refused;
  await cache.write({ [KEYS.volunteer]: next, [KEYS.pending]: undefined });
  if (answer === "unknown") return { end: "expired", state: next };
  const tokens = ticketTokens(ticket, manifest.model.context);
  deps.glimpse?.sent(parcel.frame, ticket.steps);
  report({ type: "sent", bytes: body.length, version: ticket.version, tokens });
  return { end: "sent", state: next };
}

/** The parcel, or why there is none: training that ended in NaN is our own refusal. */
function packed(trained: Run, state: VolunteerState | undefined, ticket: Ticket, decay: number) {
  try {
    if (!Number.isFinite(trained.loss)) throw new ProtocolError("not-finite", `the loss is ${trained.loss}`);
    return pack(trained, state, ticket, decay);
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "not-finite") return error;
    throw error;
  }
}

/** Shows what is about to be learned. No text to show is no reason not to train; a lost device is. */
async function showPassage(
  { manifest, tokenizer, report, glimpse }: RoundDeps,
  trainer: Trainer,
  row: Uint16Array,
  weights: Float32Array,
  version: number,
): Promise<void> {
  try {
    const known = await tokenizer();
    if (known === undefined) return;
    glimpse?.show({ shape: manifest.model, tokenizer: known, tokens: row.subarray(0, -1), weights, version });
    report({ type: "passage", passage: await passageOf(trainer, known, row, version) });
  } catch (error) {
    if (error instanceof ModelError && error.code.startsWith("device-")) throw error;
  }
}
