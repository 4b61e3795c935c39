import { expect, test } from "vitest";
import { DEFAULT_SETTINGS, parseSettings, SettingsError } from "./settings.ts";

test("an empty run file is the default run", () => {
  expect(parseSettings({})).toEqual(DEFAULT_SETTINGS);
  expect(DEFAULT_SETTINGS).toMatchObject({
    model: { layers: 2, heads: 4, width: 96, context: 128 },
    outer: { kind: "muon", rate: 1.3, momentum: 0.3 },
    delta: "auto",
    downlink: "auto",
    optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
  });
});

test("normalised settings read back as themselves", () => {
  const settings = parseSettings({ name: "x", outer: { kind: "average" }, model: { width: 8 } });
  expect(settings.outer).toEqual({ kind: "average", rate: 1, momentum: 0 });
  expect(parseSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});

test.each([
  [{ lerningRate: 1e-3 }, /unknown key "lerningRate"/],
  [{ model: { depth: 3 } }, /unknown key "model.depth"/],
  [{ model: { width: 10, heads: 4 } }, /"model.width"/],
  [{ steps: 0 }, /"steps"/],
  [{ steps: 2.5 }, /"steps"/],
  [{ seed: 2 ** 32 }, /"seed"/],
  [{ outer: { kind: "adam" } }, /"outer.kind"/],
  [{ outer: { kind: "average", momentum: 0.5 } }, /"outer.momentum"/],
  [{ name: "x".repeat(81) }, /"name"/],
  [{ learningRate: Number.NaN }, /"learningRate"/],
  [[], /expected object/i],
])("%j is refused with the key's name", (json, message) => {
  expect(() => parseSettings(json)).toThrow(SettingsError);
  expect(() => parseSettings(json)).toThrow(message);
});

test("a codec is named shortly or spelled out, and reads back as it is stored", () => {
  const spelled = { name: "topk", chunk: 4096, k: 64, bits: 4 };
  const settings = parseSettings({ delta: spelled, downlink: "dense2" });
  expect(settings).toMatchObject({ delta: spelled, downlink: { name: "dense", bits: 2 } });
  expect(parseSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});
