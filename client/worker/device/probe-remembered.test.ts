import { describe, expect, test } from "vitest";
import { ModelError } from "../../../model/contract/config.ts";
import { timedCandidates } from "../../../test/harness/timed-candidates.ts";
import type { Candidate } from "./candidate.ts";

describe("the probe, of a device that it remembers", () => {
  test("what was remembered and failed is forgotten, and the candidate tried once more", async () => {
    const { candidate, run, loaded, alive } = timedCandidates();
    let remembers = true;
    const forget = async () => {
      const was = remembers;
      remembers = false;
      return was;
    };
    const gpu = { ...candidate("webgpu", "fast", 10), forget };
    const check = async () => {
      if (remembers) throw new ModelError("device-wrong", "a gradient is off");
      return undefined;
    };
    const { results } = await run([gpu], undefined, check);
    expect(results).toEqual([{ device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 1_600 } }]);
    expect(loaded).toEqual(["webgpu/fast", "webgpu/fast"]);
    expect(alive()).toEqual(["webgpu/fast"]);

    const hopeless = timedCandidates();
    const always = async () => Promise.reject(new ModelError("device-wrong", "a gradient is off"));
    await expect(
      hopeless.run([{ ...hopeless.candidate("webgpu", "fast", 10), forget }], undefined, always),
    ).rejects.toThrow("a gradient is off");
    expect(hopeless.loaded).toEqual(["webgpu/fast"]);
  });

  test("a remembered winner is checked, and nothing else is tried", async () => {
    const { candidate, run, loaded } = timedCandidates();
    const candidates = [candidate("webgpu", "fast", 1), candidate("wasm", "fast", 10)];
    expect((await run(candidates, "wasm/fast")).candidate.device).toBe("wasm");
    expect(loaded).toEqual(["wasm/fast"]);
  });

  test("a first step that is wrong at the run's own shape puts a device out; of a remembered winner it was right before", async () => {
    const { candidate, run } = timedCandidates();
    const seen: number[] = [];
    const first: Candidate["first"] = async (trainer, { batch }) => {
      seen.push(batch, (await trainer.carried()).step);
      throw new ModelError("device-wrong", "a loss is off");
    };
    const candidates = [{ ...candidate("webgpu", "fast", 1), first }, candidate("wasm", "fast", 10)];
    const { results, candidate: winner } = await run(candidates);
    expect(winner.device).toBe("wasm");
    expect(results[0]!.outcome).toEqual({ refused: "a loss is off" });
    expect(seen).toEqual([2, 1]);
    expect((await run(candidates, "webgpu/fast")).candidate.device).toBe("webgpu");
    expect(seen).toHaveLength(2);
  });

  test("a remembered winner that is tried once more without what was remembered of it shows its first step", async () => {
    const { candidate, run } = timedCandidates();
    let [remembers, seen] = [true, 0];
    const gpu: Candidate = {
      ...candidate("webgpu", "fast", 1),
      first: async () => void seen++,
      forget: async () => {
        const was = remembers;
        remembers = false;
        return was;
      },
    };
    const check = async () => {
      if (remembers) throw new ModelError("device-wrong", "a gradient is off");
      return undefined;
    };
    await run([gpu], "webgpu/fast", check);
    expect(seen).toBe(1);
  });

  test("a remembered winner that fails gives way", async () => {
    const { candidate, run } = timedCandidates();
    const candidates = [candidate("webgpu", "fast", 1, "make"), candidate("wasm", "fast", 10)];
    expect((await run(candidates, "webgpu/fast")).candidate.device).toBe("wasm");
  });
});
