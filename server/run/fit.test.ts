import { describe, expect, test } from "vitest";
import { MAX_PARAMETERS } from "../../protocol/limits.ts";
import { tinyCorpus, tinySettings } from "../../test/harness/tiny-run.ts";
import { requireFit } from "./fit.ts";
import { languageTask } from "./language-task.ts";
import { SettingsError } from "./settings.ts";

const model = { layers: 4, heads: 6, width: 96, context: 16 };
const settingsOf = (changes: Partial<typeof model>) => tinySettings({ model: { ...model, ...changes } });
const sparse = (changes: Partial<typeof model>) => ({ ...settingsOf(changes), delta: "auto" as const });
const corpus = { ...(await tinyCorpus()), heldOutTokens: 200 };

describe("settings and their corpus", () => {
  test("a model that volunteers refuse is refused, with the widest that is not", () => {
    const attempt = () => requireFit(sparse({ width: 6_000 }), corpus, languageTask);
    expect(attempt).toThrow(SettingsError);
    expect(attempt).toThrow(`parameters, more than ${MAX_PARAMETERS}`);
    expect(attempt).toThrow(/^"model\.width": 6000 makes/);
    const widest = Number(/as it is, (\d+) fits/.exec(messageOf(attempt))?.[1]);
    expect(() => requireFit(sparse({ width: widest }), corpus, languageTask)).not.toThrow();
    expect(() => requireFit(sparse({ width: widest + 6 }), corpus, languageTask)).toThrow(SettingsError);
  });

  test("deltas that no upload could bring are refused; the same model with sparse ones is not", () => {
    const large = { width: 1_200, layers: 6 };
    const with32 = { ...settingsOf(large), delta: { name: "f32" } as const };
    expect(() => requireFit(with32, corpus, languageTask)).toThrow(/^"delta" makes uploads of \d+ bytes/);
    expect(() => requireFit({ ...with32, delta: "auto" }, corpus, languageTask)).not.toThrow();
  });

  test.each([
    ["longest train shard", [150, 100], 200, 149],
    ["held-out text", [200, 100], 90, 89],
    ["longest train shard", [20, 20, 20], 60, 19], // a window does not reach from shard to shard
  ])(
    "a context for which the %s has no window is refused, with the longest that has",
    (where, shards, heldOutTokens, fits) => {
      const short = {
        ...corpus,
        train: shards.map((tokens) => ({ ...corpus.train[0]!, tokens })),
        heldOutTokens,
      };
      const attempt = () => requireFit(settingsOf({ context: fits + 1 }), short, languageTask);
      expect(attempt).toThrow(
        new SettingsError(
          `"model.context": ${fits + 1} is too long for this corpus, whose ${where} has ${fits + 1} tokens; at most ${fits} fits`,
        ),
      );
      expect(() => requireFit(settingsOf({ context: fits }), short, languageTask)).not.toThrow();
    },
  );

  test("a corpus with no text to speak of asks for more, and every problem is named", () => {
    const empty = { ...corpus, train: [] };
    const attempt = () => requireFit(settingsOf({ width: 6_000 }), empty, languageTask);
    expect(attempt).toThrow(/"model\.width".*; "model\.context".* has 0 tokens; add more text$/);
  });
});

function messageOf(attempt: () => void): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return "";
}
