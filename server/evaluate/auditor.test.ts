import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { initialWeights } from "../../model/contract/init.ts";
import type { TrainerOptions } from "../../model/contract/trainer.ts";
import { batchesOf, type Range } from "../../model/data/batches.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { type CodecSpec, DENSE2, DENSE4 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { MAX_DISTANCE, verdictOf } from "../trust/audit.ts";
import { Gauge } from "../trust/gauge.ts";
import { NO_TRUST } from "../trust/standing.ts";
import { auditInThread } from "./auditor.ts";

const shape = { layers: 1, heads: 1, width: 16, context: 16, vocabulary: 64 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const options = { shape, optimizer, batch: 4 };
const text = (length: number) => Uint16Array.from({ length }, (_, i) => (i * i + 3 * i) % 64);
const auditor = auditInThread({ data: async () => ({ options, gate: text(500) }) });
afterAll(() => auditor.close());

const ticket = { window: 3, seed: 9, steps: 5, batch: 4, rates: Array<number>(5).fill(0.005), fresh: true };
const shard = text(2_000);
/** Of a run under way: from the random beginning, even wrong steps of this size lower the loss a little. */
const weights = await trained(initialWeights(shape, 1), { ...ticket, seed: 1, steps: 40 }, 0.005);

/** The weights after a range's steps, or after the first `steps` of them. */
async function trained(
  from: Float32Array,
  range: Range,
  rate: number,
  steps = range.steps,
  by: TrainerOptions = options,
): Promise<Float32Array> {
  const trainer = await createWasmTrainer(by);
  await trainer.load(from);
  for (const tokens of [...batchesOf(shard, range, shape.context)].slice(0, steps)) {
    await trainer.step(tokens, 4, rate);
  }
  const delta = await trainer.delta();
  trainer.dispose();
  return from.map((value, i) => value - delta[i]!);
}

/** What a volunteer sends: by the engine's fused build, where the machine has it. */
async function honest(): Promise<Float32Array<ArrayBuffer>> {
  const after = await trained(weights, ticket, 0.005);
  const frame = encodeFrame(
    DENSE4,
    weights.map((value, i) => value - after[i]!),
  );
  return decodeFrame(frame, weights.length);
}

test("A14: an honest delta is found good in the thread and recomputed within the band; flipped it is neither", async () => {
  const delta = await honest();
  const job = { ticket, shard, weights, codec: DENSE4, seed: 5, batches: 1 };
  const good = await auditor.audit({ ...job, delta });
  expect(good.distance).toBeLessThan(MAX_DISTANCE / 2);
  expect(verdictOf(good, 5, NO_TRUST).reason).toBe("recomputed");
  const stale = { ...job, ticket: { ...ticket, fresh: false } };
  expect(verdictOf(await auditor.audit({ ...stale, delta }), 5, NO_TRUST).verdict).toBe("good");
  const bad = await auditor.audit({ ...stale, delta: delta.map((value) => -value) });
  expect(verdictOf(bad, 5, NO_TRUST)).toMatchObject({ verdict: "bad", reason: "no-gain" });
  const again = await auditor.audit({ ...job, delta, own: true });
  expect(again.unsteadiness).toBeLessThan(0.001);
  expect(verdictOf({ ...bad, own: again.own! }, 5, NO_TRUST).verdict).toBe("bad"); // the server's own delta helps
  const other = await auditor.audit({ ...job, delta: delta.map((value) => -value), own: true });
  expect(verdictOf(other, 5, NO_TRUST).reason).toBe("mismatch");
  // Trained once it says the same of how they agree, and nothing of how steady that is.
  const once = await auditor.audit({ ...stale, delta, own: true, once: true });
  expect(once).toMatchObject({ own: again.own, cosine: again.cosine });
  expect(once.cosine).toBeGreaterThan(0.9);
  expect(once.unsteadiness).toBeUndefined();
});

test("A15: beside the server's own training, done once, honest work gains as much and nothing else a third", async () => {
  const job = { ticket: { ...ticket, fresh: false }, shard, weights, codec: DENSE4, seed: 5, batches: 8 };
  const partOf = async (delta: Float32Array<ArrayBuffer>) => {
    const { assigned, own, unsteadiness } = await auditor.audit({ ...job, delta, own: true, effort: true });
    expect(unsteadiness).toBeUndefined();
    return (assigned.before - assigned.after) / (own!.assigned.before - own!.assigned.after);
  };
  const delta = await honest();
  expect(await partOf(delta)).toBeGreaterThan(0.9);
  expect(await partOf(delta.map((value, i) => (i % 5 === 0 ? value : 0)))).toBeLessThan(1 / 3);
});

test("A14: a fresh ticket of Muon's is recomputed within the band; control: AdamW's work for it is a mismatch", async () => {
  const muon: TrainerOptions = { ...options, optimizer: { ...optimizer, inner: "muon" } };
  const thread = auditInThread({ data: async () => ({ options: muon, gate: text(500) }) });
  try {
    const job = { ticket, shard, weights, codec: DENSE4, seed: 5, batches: 1 };
    const deltas = await Promise.all(
      [muon, options].map(async (by) => {
        const after = await trained(weights, ticket, 0.005, ticket.steps, by);
        return decodeFrame(
          encodeFrame(
            DENSE4,
            weights.map((value, i) => value - after[i]!),
          ),
          weights.length,
        );
      }),
    );
    const good = await thread.audit({ ...job, delta: deltas[0]! });
    const other = await thread.audit({ ...job, delta: deltas[1]! });
    expect(good.distance).toBeLessThan(MAX_DISTANCE / 2);
    expect(verdictOf(good, 5, NO_TRUST).reason).toBe("recomputed");
    expect(verdictOf(other, 5, NO_TRUST).reason).toBe("mismatch");
  } finally {
    await thread.close();
  }
});

test("A15: a fresh ticket of which half was trained points the right way and is found by its length", async () => {
  const long = { ...ticket, steps: 10, rates: Array<number>(10).fill(0.005) };
  const after = await trained(weights, long, 0.005, 5);
  const delta = weights.map((value, i) => value - after[i]!);
  const evidence = await auditor.audit({
    ...{ ticket: long, shard, weights, codec: DENSE4, seed: 5, batches: 1 },
    delta,
  });
  expect(evidence.distance, "the control: its direction alone would pass").toBeLessThan(MAX_DISTANCE);
  expect(verdictOf(evidence, 10, NO_TRUST).reason).toBe("mismatch");
  const { length: _, shortened: _early, ...direction } = evidence;
  expect(verdictOf(direction, 10, NO_TRUST).reason, "the control").toBe("recomputed");
});

test("A14: a ticket that names its inner optimiser is computed again with that, in one thread; control: not with the other", async () => {
  const by: TrainerOptions = { ...options, optimizer: { ...optimizer, inner: "muon" } };
  const after = await trained(weights, ticket, 0.005, ticket.steps, by);
  const delta = weights.map((value, i) => value - after[i]!);
  const audited = async (inner: "adamw" | "muon") => {
    const job = { shard, weights, codec: DENSE4, seed: 5, batches: 1, delta };
    return verdictOf(await auditor.audit({ ...job, ticket: { ...ticket, inner } }), 5, NO_TRUST).reason;
  };
  expect(await audited("muon")).toBe("recomputed");
  expect(await audited("adamw")).toBe("mismatch");
});

test("A15: of a fresh ticket only what was done is computed again; who says it did twice as much is found by it", async () => {
  const timed = { ...ticket, steps: 12, rates: Array<number>(12).fill(0.005) };
  const after = await trained(weights, timed, 0.005, 6);
  const delta = weights.map((value, i) => value - after[i]!);
  const audited = (done: number) =>
    auditor.audit({
      ...{ shard, weights, codec: DENSE4, seed: 5, batches: 1, delta },
      ticket: { ...timed, done },
    });
  expect(verdictOf(await audited(6), 6, NO_TRUST).reason).toBe("recomputed");
  expect(verdictOf(await audited(12), 12, NO_TRUST).reason).toBe("mismatch");
});

const long = { ...ticket, steps: 12, rates: Array<number>(12).fill(0.005) };
/** The first steps of {@link long} from the very weights, or from some that are off, made as long as all of them are. */
async function shortcut(
  codec: CodecSpec,
  steps: number,
  rate = 0.005,
  from = weights,
): Promise<Float32Array> {
  const [after, whole] = await Promise.all([trained(from, long, rate, steps), trained(weights, long, 0.005)]);
  const length = (to: Float32Array, of: Float32Array) => Math.hypot(...of.map((value, i) => value - to[i]!));
  const scale = length(whole, weights) / length(after, from);
  const delta = from.map((value, i) => scale * (value - after[i]!));
  return decodeFrame(encodeFrame(codec, delta), delta.length);
}

describe.each<[string, CodecSpec]>([
  ["dense, 4 bits", DENSE4],
  ["dense, 2 bits", DENSE2],
  ["top-k", { name: "topk", chunk: 256, k: 16, bits: 4 }],
])("A15: of a fresh ticket, through %s", (_, codec) => {
  const audit = async (delta: Float32Array) => {
    const evidence = await auditor.audit({
      ...{ ticket: long, shard, weights, codec, seed: 5, batches: 1 },
      delta,
    });
    return { evidence, reason: verdictOf(evidence, long.steps, NO_TRUST).reason };
  };

  test.each<[string, number, number?]>([
    ["half of the steps, doubled", 6],
    ["three quarters of the steps, made longer", 9],
    ["half of the steps at twice the rate", 6, 0.01],
  ])("%s is a mismatch", async (_, steps, rate) => {
    const { evidence, reason } = await audit(await shortcut(codec, steps, rate));
    expect(reason).toBe("mismatch");
    const off = Math.max(evidence.length!, 1 / evidence.length!);
    expect(off, "the control: its length alone would pass").toBeLessThan(1.25);
  });

  test("all of the steps are recomputed good, on a device that is a thousand times less exact too", async () => {
    expect((await audit(await shortcut(codec, 12))).reason).toBe("recomputed");
    const off = weights.map((value, i) => value * (1 + (i % 2 === 0 ? 1e-4 : -1e-4)));
    expect((await audit(await shortcut(codec, 12, 0.005, off))).reason).toBe("recomputed");
  });
});

test("A15, the control: by a fixed bound on its distance half of a ticket, doubled, would pass", async () => {
  const delta = await shortcut(DENSE4, 6);
  const { shortened: _, ...fixed } = await auditor.audit({
    ...{ ticket: long, shard, weights, codec: DENSE4, seed: 5, batches: 1 },
    delta,
  });
  expect(verdictOf(fixed, long.steps, NO_TRUST).reason).toBe("recomputed");
});

test("A15: a fresh ticket of a single step has nothing to leave out, and is recomputed good", async () => {
  const one = { ...ticket, steps: 1, rates: [0.005] };
  const after = await trained(weights, one, 0.005);
  const delta = decodeFrame(
    encodeFrame(
      DENSE4,
      weights.map((value, i) => value - after[i]!),
    ),
    weights.length,
  );
  const evidence = await auditor.audit({
    ...{ ticket: one, shard, weights, codec: DENSE4, seed: 5, batches: 1 },
    delta,
  });
  expect(verdictOf(evidence, 1, NO_TRUST).reason).toBe("recomputed");
});

test("A14: the server's own direction comes from gate text, and honest deltas agree with it; one flipped opposes it", async () => {
  const rates = Array<number>(4).fill(0.005);
  const direction = await auditor.direct({ weights, rates, batch: 4, seed: 11 });
  const again = await auditor.direct({ weights, rates, batch: 4, seed: 11 });
  expect(again).toEqual(direction);
  const gauge = new Gauge(weights.length, DENSE4, [], () => 0.5);
  const agreement = (id: string, delta: Float32Array) =>
    gauge.measure({ id: id as TicketId, rates }, encodeFrame(DENSE4, delta), 1).agreement;
  const delta = await honest();
  expect(agreement("before", delta)).toBeUndefined(); // the control
  gauge.direct(direction);
  expect(agreement("honest", delta)).toBeGreaterThan(0.1);
  const flipped = delta.map((value) => -value);
  expect(agreement("flipped", flipped)).toBeLessThan(-0.1);
});

test("A14: a delta whose thread died is audited by another; one that cannot be measured, the control, is not asked of it again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "murmuration-auditor-"));
  try {
    const [file, asked] = [join(folder, "worker.mjs"), join(folder, "asked")];
    await writeFile(
      file,
      `import { appendFileSync, readFileSync } from "node:fs";
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", () => {
        appendFileSync(${JSON.stringify(asked)}, "x");
        if (readFileSync(${JSON.stringify(asked)}, "utf8").length === 1) process.exit(3);
        parentPort.postMessage({ error: "weights are not finite" });
      });`,
    );
    const dying = auditInThread({
      data: async () => ({ options, gate: text(500) }),
      worker: pathToFileURL(file),
    });
    const job = { ticket, shard, weights, codec: DENSE4, seed: 5, batches: 1, delta: weights };
    await expect(dying.audit(job)).rejects.toThrow("weights are not finite");
    expect(await readFile(asked, "utf8")).toBe("xx");
    await expect(dying.audit(job)).rejects.toThrow("weights are not finite");
    expect(await readFile(asked, "utf8")).toBe("xxx");
    await dying.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
