import { expect, test } from "vitest";
import { largestBatch } from "./micro-batch.ts";
import {
  DEFAULT_SETTINGS,
  earlierDefaults,
  parseSettings,
  requireShown,
  SettingsError,
  storedSettings,
  withModel,
} from "./settings.ts";

test("an empty run file is the default run", () => {
  expect(parseSettings({})).toEqual(DEFAULT_SETTINGS);
  expect(DEFAULT_SETTINGS).toMatchObject({
    model: { layers: 2, heads: 4, width: 96, context: 128 },
    rounds: { seconds: "paced", batch: "paced", inner: "paced" },
    outer: {
      ...{ kind: "muon", rate: 1.43, momentum: 0.5, fullAt: 4 },
      ...{ grows: true, muonMomentum: 0.5, warmupVersions: 10, startVersions: 16 },
    },
    delta: "auto",
    downlink: { name: "midrise", bits: 2 },
    optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
  });
});

test.each(["\u0000", "Moby\nDick", "evil\u202eeman", "zero\u200bwidth"])(
  "a new run's name and operator have nothing unseen in them, as %j has; a run that was made before keeps it",
  (unseen) => {
    const shown = (given: object) => requireShown(parseSettings(given));
    expect(() => shown({ name: unseen })).toThrow(/"name": has characters that cannot be shown/);
    expect(() => shown({ operator: unseen })).toThrow(/"operator": has characters/);
    expect(storedSettings({ ...DEFAULT_SETTINGS, name: unseen }).name).toBe(unseen);
  },
);

test.each(["Moby-Dick, nightly", "鯨", "نامه\u200cها", "🐳\ufe0f", "<b>"])(
  "a run may be called %j",
  (name) => {
    expect(parseSettings({ name }).name).toBe(name);
    requireShown(parseSettings({ name }));
  },
);

test("normalised settings read back as themselves", () => {
  const settings = parseSettings({ name: "x", outer: { kind: "average" }, model: { width: 8 } });
  expect(settings.outer).toEqual({ kind: "average", rate: 1, momentum: 0 });
  expect(parseSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});

test("Muon inside brings its own rate, batch and averaging, which the file may change; control: AdamW keeps its own", () => {
  const model = { width: 64 };
  const muon = parseSettings({ model, optimizer: { inner: "muon" } });
  expect(muon).toMatchObject({
    optimizer: { inner: "muon", beta1: 0.9, clip: 1 },
    learningRate: 0.01,
    batch: 16,
    outer: { kind: "average", rate: 1 },
  });
  expect(storedSettings(JSON.parse(JSON.stringify(muon)))).toEqual(muon);
  const changed = parseSettings({
    model,
    optimizer: { inner: "muon" },
    batch: 8,
    outer: { rate: 1.7 },
    learningRate: 7e-3,
  });
  expect(changed).toMatchObject({ batch: 8, outer: { kind: "muon", rate: 1.7 }, learningRate: 7e-3 });
  expect(parseSettings({ model, optimizer: { inner: "adamw" } })).toEqual(parseSettings({ model }));
  expect(Object.keys(DEFAULT_SETTINGS.optimizer)).not.toContain("inner");
});

test.each([
  [{ optimizer: { inner: "sgd" } }, /"optimizer.inner"/],
  [{ lerningRate: 1e-3 }, /unknown key "lerningRate"/],
  [{ model: { depth: 3 } }, /unknown key "model.depth"/],
  [{ model: { width: 10, heads: 4 } }, /"model.width"/],
  [{ steps: 0 }, /"steps"/],
  [{ steps: 2.5 }, /"steps"/],
  [{ seed: 2 ** 32 }, /"seed"/],
  [{ outer: { kind: "adam" } }, /"outer.kind"/],
  [{ outer: { kind: "average", momentum: 0.5 } }, /"outer.momentum"/],
  [{ outer: { kind: "average", fullAt: 4 } }, /"outer.fullAt"/],
  [{ outer: { fullAt: 0 } }, /"outer.fullAt"/],
  [{ outer: { warmupVersions: 0 } }, /"outer.warmupVersions"/],
  [{ outer: { kind: "average", warmupVersions: 5 } }, /"outer.warmupVersions"/],
  [{ outer: { muonMomentum: 0.5 } }, /"outer.muonMomentum": needs grows/],
  [{ outer: { grows: true, muonMomentum: 1 } }, /"outer.muonMomentum"/],
  [{ outer: { grows: true, startVersions: 16 } }, /"outer.startVersions": needs muonMomentum/],
  [{ outer: { grows: true, crowdGrows: true } }, /"outer.crowdGrows": needs muonMomentum/],
  [{ name: "x".repeat(81) }, /"name"/],
  [{ learningRate: Number.NaN }, /"learningRate"/],
  [{ prompts: "Call me" }, /"prompts"/],
  [{ prompts: ["a", "b", "c", "d", "e"] }, /"prompts"/],
  [{ prompts: [""] }, /"prompts.0"/],
  [{ prompts: ["evil\u202eeman"] }, /"prompts.0": has characters that cannot be shown/],
  [{ prompts: ["x".repeat(201)] }, /"prompts.0"/],
  [{ card: { purpse: "x" } }, /unknown key "card.purpse"/],
  [{ card: { link: "javascript:alert(1)" } }, /"card.link": is no address/],
  [{ card: { purpose: "x".repeat(301) } }, /"card.purpose": must be text of at most 300/],
  [{ card: { who: 7 } }, /"card.who"/],
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

test("rounds on a clock bring an outer step that follows the crowd, which the file may change; control: turns have none", () => {
  const turns = parseSettings({ rounds: "turns" });
  expect(turns).toMatchObject({
    ...{ rounds: "turns", outer: { rate: 1.3, momentum: 0.3, fullAt: 4 }, downlink: "auto" },
  });
  expect(turns.outer).not.toHaveProperty("grows");
  const clock = parseSettings({ rounds: {} });
  expect(clock).toEqual(parseSettings({}));
  expect(storedSettings(JSON.parse(JSON.stringify(clock)))).toEqual(clock);
  const fixed = parseSettings({ rounds: { seconds: 2, batch: 1 }, outer: { kind: "average" } });
  expect(fixed).toMatchObject({ rounds: { seconds: 2, batch: 1 }, outer: { kind: "average" } });
  const muon = parseSettings({ optimizer: { inner: "muon" } });
  expect(muon).toMatchObject({ rounds: { inner: "muon" }, outer: { kind: "average" }, batch: 16 });
});

test("the largest micro-batch is what tickets may ask for: with Muon inside more, unless the file says which", () => {
  const model = { width: 64, context: 64 };
  const largest = (rounds: unknown) => largestBatch(parseSettings({ model, rounds }));
  expect(["turns", {}, { inner: "adamw" }, { inner: "muon" }].map(largest)).toEqual([4, 16, 4, 16]);
  expect([{ batch: 3 }, { batch: 8 }].map(largest), "and no less than the server's own steps").toEqual([
    4, 8,
  ]);
});

test("the inner rate falls with the width, and is no higher in a model narrower than 64", () => {
  const rateAt = (width: number) => parseSettings({ model: { width } }).learningRate;
  expect([16, 32, 64, 96, 128, 768].map(rateAt)).toEqual([
    4.69e-3, 4.69e-3, 4.69e-3, 3.12e-3, 2.34e-3, 3.91e-4,
  ]);
});

/** What new runs had before they had a clock, and before volunteers audited. */
const BEFORE = { rounds: "turns", trust: { auditors: "server" } };

test("a run from before volunteers audited does without, and goes on with the run file that began it", () => {
  const today = parseSettings({});
  expect(today.trust.auditors).toBe("volunteers");
  const { auditors: _, ...trust } = today.trust;
  const before = { ...today, trust };
  expect(storedSettings(before)).toEqual(before);
  expect(earlierDefaults(today)).toContainEqual(before);
  expect(parseSettings({ trust: { auditors: "server" } }), "as the run file may say").toEqual(before);
  expect(parseSettings({ trust: { auditShare: 0.5 } }).trust).toMatchObject({ auditors: "volunteers" });
});

test("a card is kept without what it leaves empty, and a run from before cards says nothing", () => {
  const settings = parseSettings({ card: { purpose: " To  read ", who: "", contact: "ann@reeds.example" } });
  expect(settings.card).toEqual({ purpose: "To read", contact: "mailto:ann@reeds.example" });
  expect(storedSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  const { card: _, ...before } = settings;
  expect(storedSettings(before).card).toEqual({});
});

test("a run from before rounds on a clock has turns and their outer step, and goes on with the run file that began it", () => {
  const { rounds: _, ...before } = parseSettings({ rounds: "turns" });
  expect(storedSettings(before).rounds).toBe("turns");
  for (const file of [{}, { name: "x" }, { outer: { rate: 1 } }, { optimizer: { inner: "muon" } }]) {
    const begun = storedSettings(JSON.parse(JSON.stringify(parseSettings({ ...file, ...BEFORE }))));
    expect(earlierDefaults(parseSettings(file))).toContainEqual(begun);
  }
  const chosen = parseSettings({ rounds: { seconds: 2 } });
  for (const earlier of earlierDefaults(chosen)) expect(earlier.rounds).toEqual(chosen.rounds);
});

test("a run from before outer rates rose has the whole rate at once, and goes on with the run file that began it", () => {
  const today = parseSettings({});
  const { warmupVersions, muonMomentum: _, startVersions: __, ...outer } = today.outer;
  expect(warmupVersions).toBe(10);
  const begun = storedSettings({ ...today, outer });
  expect(begun.outer).toEqual(outer);
  expect(earlierDefaults(today)).toContainEqual(begun);
  const chosen = parseSettings({ outer: { ...outer, warmupVersions: 3 } });
  for (const earlier of earlierDefaults(chosen)) expect(earlier.outer).toMatchObject({ warmupVersions: 3 });
});

test("a run from before crowds had Muon inside averages its deltas, and goes on with the run file that began it", () => {
  const today = parseSettings({});
  const { muonMomentum, startVersions: _, ...outer } = today.outer;
  expect(muonMomentum).toBe(0.5);
  const begun = storedSettings({ ...today, outer });
  expect(begun.outer).toEqual(outer);
  expect(earlierDefaults(today)).toContainEqual(begun);
  const chosen = parseSettings({ outer: { ...outer, muonMomentum: 0.3 } });
  for (const earlier of earlierDefaults(chosen)) expect(earlier.outer).toMatchObject({ muonMomentum: 0.3 });
});

test("a run from before crowds had a start of their own has none, and goes on with the run file that began it", () => {
  const today = parseSettings({});
  const { startVersions, ...outer } = today.outer;
  expect(startVersions).toBe(16);
  const begun = storedSettings({ ...today, outer });
  expect(begun.outer).toEqual(outer);
  expect(earlierDefaults(today)).toContainEqual(begun);
  const chosen = parseSettings({ outer: { ...outer, startVersions: 5 } });
  for (const earlier of earlierDefaults(chosen)) expect(earlier.outer).toMatchObject({ startVersions: 5 });
});

test("a run from before narrow models' rates and outer.fullAt keeps the rules that it began with", () => {
  const file = { model: { heads: 2, width: 32 } };
  const today = parseSettings(file);
  const begun = storedSettings({
    ...today,
    ...BEFORE,
    downlink: "auto",
    outer: { kind: "muon", rate: 1.3, momentum: 0.3 },
    learningRate: 9.37e-3,
  });
  expect(begun.outer).toEqual({ kind: "muon", rate: 1.3, momentum: 0.3 });
  expect(earlierDefaults(today)).toContainEqual(begun);
  const chosen = parseSettings({
    ...file,
    ...BEFORE,
    learningRate: 1e-3,
    outer: { kind: "nesterov" },
  });
  for (const earlier of earlierDefaults(chosen)) expect(earlier).toEqual(chosen);
});

test("a model that a run begins with brings its width's learning rate, unless one was chosen", () => {
  const model = { ...DEFAULT_SETTINGS.model, width: 768 };
  expect(withModel(parseSettings({}), model)).toEqual(parseSettings({ model }));
  expect(withModel(parseSettings({}), model).learningRate).toBeCloseTo(0.3 / 768, 5);
  expect(withModel(parseSettings({ learningRate: 0.01 }), model).learningRate).toBe(0.01);
  // The control: runs that began so before had the rate of a width of 96, and go on with it.
  const rates = earlierDefaults(withModel(parseSettings({}), model)).map(({ learningRate }) => learningRate);
  expect(rates).toContain(parseSettings({}).learningRate);
});
