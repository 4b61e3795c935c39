import { describe, expect, test, vi } from "vitest";
import { ModelError } from "../../../model/contract/config.ts";
import { checkTrainer } from "../../../model/contract/known-gradient.ts";
import { optimizer, shape, timedCandidates } from "../../../test/harness/timed-candidates.ts";
import { sleep } from "../time.ts";
import type { Candidate } from "./candidate.ts";
import { nodeCandidates } from "./devices.ts";
import { callMs, triedBatch } from "./effort.ts";
import { probe } from "./probe.ts";
import { NoDevice } from "./trainers.ts";

describe("the probe", () => {
  test("picks the most tokens a second, frees the others, and leaves tfjs alone where it is not needed", async () => {
    const { candidate, alive, run, loaded } = timedCandidates();
    const { results } = await run([
      candidate("webgpu", "fast", 100),
      candidate("wasm", "fast", 10),
      candidate("webgpu", "tfjs", 1),
      candidate("cpu", "tfjs", 1),
    ]);
    expect(alive()).toEqual(["wasm/fast"]);
    expect(loaded).toEqual(["webgpu/fast", "wasm/fast"]);
    expect(results).toEqual([
      { device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 160 } },
      { device: "wasm", engine: "fast", outcome: { tokensPerSecond: 1_600 } },
    ]);
  });

  test("whatever a candidate throws is its reason, and the next is tried", async () => {
    const { candidate, alive, run } = timedCandidates();
    const { results } = await run([
      candidate("webgpu", "fast", 1, "make"),
      candidate("wasm", "fast", 1, "load"),
      candidate("webgpu", "tfjs", 1, "step"),
      candidate("wasm", "tfjs", 50),
      candidate("cpu", "tfjs", 1),
    ]);
    expect(alive()).toEqual(["wasm/tfjs"]);
    expect(results.map(({ outcome }) => ("refused" in outcome ? outcome.refused : "runs"))).toEqual([
      "no adapter",
      "the script is blocked",
      "reset",
      "runs",
    ]);
  });

  test("a device that computes the known gradient wrong is out, however fast", async () => {
    const { candidate, run } = timedCandidates();
    let first = true;
    const check = async () => {
      if (!first) return;
      first = false;
      throw new ModelError("device-wrong", "computes zeros");
    };
    const { candidate: winner } = await run(
      [candidate("webgpu", "fast", 1), candidate("wasm", "fast", 100)],
      undefined,
      check as () => Promise<undefined>,
    );
    expect(winner.device).toBe("wasm");
  });

  /** Tokens a second of a candidate whose losses are only told every `grid` ms, and what they seem a step at a time. */
  async function speeds(ms: number, grid: number): Promise<{ probed: number; singly: number }> {
    const { candidate, run, pass, clock } = timedCandidates();
    const gpu = candidate("webgpu", "fast", ms);
    const load = async () => {
      const make = await gpu.load();
      return async (options: Parameters<typeof make>[0]) => {
        const trainer = await make(options);
        const losses = trainer.losses.bind(trainer);
        trainer.losses = () => {
          if (grid > 0) pass(grid - (clock() % grid));
          return losses();
        };
        return trainer;
      };
    };
    const { results, trainer } = await run([{ ...gpu, load }]);
    const begun = clock();
    for (let step = 0; step < 8; step++) {
      await trainer.step(new Uint16Array(), 2, 0);
      await trainer.losses();
    }
    const [outcome] = results.map(({ outcome }) => outcome);
    const probed = outcome !== undefined && "tokensPerSecond" in outcome ? outcome.tokensPerSecond : 0;
    return { probed, singly: (8 * 2 * shape.context * 1_000) / (clock() - begun) };
  }

  test.each([
    [3, 0.8],
    [40, 0.6],
    [400, 0.75],
  ])("steps of %d ms seem hardly slower where losses arrive every 100 ms", async (ms, least) => {
    const usual = await speeds(ms, 0);
    expect(usual.probed).toBeCloseTo(usual.singly, 5);
    expect((await speeds(ms, 100)).probed).toBeGreaterThanOrEqual(least * usual.probed);
  });

  test("the control: told every 100 ms and timed one at a time, steps of 3 ms seem thirty times slower", async () => {
    const { probed, singly } = await speeds(3, 100);
    expect(singly).toBeLessThan(probed / 20);
  });

  test("a step that takes long is taken once; control: a shorter one again, after one that warms up", async () => {
    for (const [ms, steps] of [
      [2_000, 1],
      [1_999, 2],
    ] as const) {
      const { candidate, run, clock } = timedCandidates();
      const { results } = await run([candidate("webgpu", "fast", ms)]);
      expect(clock()).toBe(steps * ms);
      expect(results[0]!.outcome).toEqual({ tokensPerSecond: (2 * shape.context * 1_000) / ms });
    }
  });

  test("a device that has to serve gets longer for a large model than for a small one", async () => {
    const gpt2 = { layers: 12, heads: 12, width: 768, context: 128, vocabulary: 50_257 };
    const limits: number[] = [];
    for (const options of [
      { shape, optimizer, batch: 2 },
      { shape: gpt2, optimizer, batch: 1 },
    ]) {
      const { candidate } = timedCandidates();
      const sleep = async (ms: number) => {
        limits.push(ms);
      };
      const hung: Candidate = { ...candidate("webgpu", "fast", 1), load: () => new Promise(() => undefined) };
      const { signal } = new AbortController();
      const asked = { candidates: [hung], options, trying: () => undefined, clock: () => 0, sleep, signal };
      await expect(probe(asked)).rejects.toThrow(/not ready within/);
    }
    expect(limits[0]! / 1_000).toBeCloseTo(90, 0);
    expect(limits[1]! / 1_000).toBeCloseTo(281, -1);
  });

  test("a call of a device has longer with a large model, of which two steps may be under way", () => {
    expect(callMs(shape, 2) / 1_000).toBeCloseTo(120, 0);
    const gpt2 = { layers: 12, heads: 12, width: 768, context: 128, vocabulary: 50_257 };
    expect(callMs(gpt2, 1) / 1_000).toBeGreaterThan(120 + 2 * 90); // three steps took 46, 71 and 87 s
  });

  test("devices are tried with four sequences, and with one of a model of GPT-2 small's size", () => {
    expect(triedBatch({ layers: 4, heads: 4, width: 96, context: 128, vocabulary: 2_048 })).toBe(4);
    expect(triedBatch({ layers: 12, heads: 12, width: 768, context: 128, vocabulary: 50_257 })).toBe(1);
    expect(triedBatch({ layers: 12, heads: 12, width: 768, context: 1_024, vocabulary: 50_257 })).toBe(1);
  });

  test("stops looking when its time is over", async () => {
    const { candidate, run, loaded } = timedCandidates();
    await run([
      candidate("webgpu", "tfjs", 1_500),
      candidate("wasm", "tfjs", 1),
      candidate("webgl", "tfjs", 1),
    ]);
    expect(loaded).toEqual(["webgpu/tfjs"]);
  });

  test("with nothing left it says why, one by one", async () => {
    const { candidate, run } = timedCandidates();
    const probing = run([candidate("webgpu", "fast", 1, "make"), candidate("cpu", "tfjs", 1, "load")]);
    await expect(probing).rejects.toThrow(NoDevice);
    await expect(probing).rejects.toThrow("webgpu (fast): no adapter; cpu (tfjs): the script is blocked");
  });

  /** How long a probe waits for a WebGPU that never answers, with the candidates in this order. */
  async function waits(order: (hung: Candidate, wasm: Candidate) => Candidate[], disguised = false) {
    vi.useFakeTimers();
    try {
      const hung: Candidate = {
        device: "webgpu",
        engine: "fast",
        load: () => new Promise(() => undefined),
        disguised: async () => disguised,
      };
      const probing = probe({
        candidates: order(hung, timedCandidates().candidate("wasm", "fast", 10)),
        options: { shape, optimizer, batch: 2 },
        trying: () => undefined,
        clock: () => Date.now(),
        sleep,
        signal: new AbortController().signal,
        check: async () => undefined,
      });
      const began = Date.now();
      let ended = 0;
      const { device } = (
        await Promise.all([
          probing.finally(() => {
            ended = Date.now();
          }),
          vi.advanceTimersByTimeAsync(100_000),
        ])
      )[0].candidate;
      return { device, seconds: (ended - began) / 1_000 };
    } finally {
      vi.useRealTimers();
    }
  }

  test("a driver that never answers is given up, sooner where another device serves", async () => {
    expect(await waits((hung, wasm) => [hung, wasm])).toEqual({ device: "wasm", seconds: 90 });
    expect(await waits((hung, wasm) => [wasm, hung])).toEqual({ device: "wasm", seconds: 20 });
  });

  test("a software adapter gets what is left of two seconds where the processor itself serves", async () => {
    expect(await waits((hung, wasm) => [wasm, hung], true)).toEqual({ device: "wasm", seconds: 2 });
  });

  test.each(["adamw", "muon"] as const)(
    "this machine has a candidate that computes the known gradient with %s",
    async (inner) => {
      const asked: (string | undefined)[] = [];
      const { trainer, results } = await probe({
        candidates: nodeCandidates(),
        options: { shape, optimizer: { ...optimizer, inner }, batch: 2 },
        trying: () => undefined,
        clock: () => performance.now(),
        sleep,
        signal: new AbortController().signal,
        check: (factory, inner) => {
          asked.push(inner);
          return checkTrainer(factory, inner);
        },
      });
      expect(asked[0]).toBe(inner);
      expect(results.some(({ outcome }) => "tokensPerSecond" in outcome)).toBe(true);
      expect(["wasm", "cpu"]).toContain(trainer.report.device);
      trainer.dispose();
    },
  );
});
