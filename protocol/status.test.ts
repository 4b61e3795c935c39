import { describe, expect, it } from "vitest";
import type { Json } from "./guards.ts";
import { MAX_LOSS } from "./limits.ts";
import { parseRunStatus } from "./status.ts";

const JSON_STATUS = {
  protocol: 2,
  run: "9".repeat(64),
  name: "<b>Moby</b>",
  operator: "",
  state: "running",
  version: 3,
  modelHash: "4".repeat(64),
  model: { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 },
  parameters: 285_312,
  heldOut: [{ version: 0, tokens: 0, loss: 6.24, right: 17 }],
  bytesPerToken: 2.5,
  questions: { questions: 69, chance: 0.25 },
  card: { purpose: "To read" },
  prompts: ["Call me"],
  baselines: { uniform: 6.24, unigram: 5.24, bigram: 3.98 },
  tokensMerged: 15_360,
  tokenBudget: 40_000_000,
  tokensPerSecond: 12.5,
  volunteers: 1,
  deltas: { merged: 3, refused: { stale: 2, "a-later-code": 7 } },
  rounds: {
    ...{ ms: 1_500, inner: "muon", batch: 6 },
    lately: {
      versions: 3,
      steps: 7.5,
      late: 0.25,
      goodput: 0.8,
      crowd: { cosine: 0.1, oneMore: 0.04, useful: 36 },
    },
  },
  versions: [{ version: 3, hash: "4".repeat(64), deltas: 1, tokens: 5_120, ms: 2_000, diffBytes: 151_600 }],
  sample: { version: 3, text: "now", written: [" Ishmael"] },
  samples: [{ version: 0, text: "<i>then</i>" }],
} satisfies Json;

describe("the run's status, as a stranger's JSON", () => {
  it("is read whole, and a code of a later version is left out", () => {
    const { deltas, ...rest } = parseRunStatus(JSON_STATUS);
    expect(deltas).toEqual({ merged: 3, refused: { stale: 2 } });
    expect({ ...rest, deltas: JSON_STATUS.deltas }).toEqual(JSON_STATUS);
  });

  it("is read of a server of an earlier release, which says less", () => {
    const { card, prompts, questions, bytesPerToken, ...before } = JSON_STATUS;
    const none = { card: {}, prompts: [], questions: null, bytesPerToken: null };
    expect(parseRunStatus(before)).toMatchObject(none);
    expect([card, prompts, questions, bytesPerToken]).not.toContain(undefined); // the control
  });

  it("is read with the highest loss that servers tell", () => {
    const heldOut = [{ version: 0, tokens: 0, loss: MAX_LOSS }];
    expect(parseRunStatus({ ...JSON_STATUS, heldOut }).heldOut).toEqual(heldOut);
  });

  it("is read of a run on turns, and before there is a version", () => {
    const rounds = { ...JSON_STATUS.rounds, lately: null };
    expect(parseRunStatus({ ...JSON_STATUS, rounds }).rounds).toEqual(rounds);
    expect(parseRunStatus({ ...JSON_STATUS, rounds: null }).rounds).toBeNull();
  });

  it("says whether its volunteers make audits", () => {
    expect(parseRunStatus({ ...JSON_STATUS, audits: true }).audits).toBe(true);
    expect(parseRunStatus(JSON_STATUS).audits).toBeUndefined();
  });

  it("names another protocol before it complains of anything else", () => {
    expect(() => parseRunStatus({ protocol: 3 })).toThrow(
      expect.objectContaining({ code: "protocol-mismatch" }),
    );
  });

  it.each([
    ["modelHash", "../../etc/passwd"],
    ["state", "exploded"],
    ["volunteers", -1],
    ["card", { link: "javascript:alert(1)" }],
    ["prompts", Array(5).fill("x")],
    ["questions", { questions: 0, chance: 0.25 }],
    ["bytesPerToken", -1],
    ["heldOut", Array.from({ length: 5_001 }, () => ({ version: 0, tokens: 0, loss: 1 }))],
    ["sample", { version: 1, text: "a".repeat(2_001) }],
    ["name", 7],
    ["rounds", { ...JSON_STATUS.rounds, inner: "sgd" }],
    ["rounds", { ...JSON_STATUS.rounds, lately: { ...JSON_STATUS.rounds.lately, goodput: 1.5 } }],
  ])("refuses a wrong %s", (field, value) => {
    expect(() => parseRunStatus({ ...JSON_STATUS, [field]: value })).toThrow(
      expect.objectContaining({ code: "bad-request" }),
    );
  });
});
