import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, prose, quickDisk, stream, temporary } from "../../test/corpus-fixture.ts";
import { plan, SPLITS, splitText } from "./split.ts";
import { Workspace } from "./workspace.ts";

/** The text of each split of `text`. */
async function split(text: string, context: number) {
  await using dir = await temporary();
  const workspace = await Workspace.open(dir.path, quickDisk);
  const result = await splitText(stream(text), context, workspace);
  const texts = await Promise.all(SPLITS.map(async (name) => (await collect(result.read(name))).join("")));
  const bytes = await Promise.all(
    SPLITS.map(async (name) => (await readFile(workspace.path(`${name}-0.text`))).length),
  );
  expect(bytes).toEqual(SPLITS.map((name) => result.bytes[name]));
  return { train: texts[0]!, gate: texts[1]!, heldOut: texts[2]! };
}

describe("splitText", () => {
  it("gives gate and held-out a twentieth each of a long text, and loses nothing", async () => {
    const text = prose(1_500_000);
    const parts = await split(text, 128);
    expect(parts.train.length + parts.gate.length + parts.heldOut.length).toBe(text.length);
    for (const part of [parts.gate, parts.heldOut]) {
      expect(part.length / text.length).toBeGreaterThan(0.04);
      expect(part.length / text.length).toBeLessThan(0.06);
    }
  });

  it("puts every paragraph into one split, whole", async () => {
    const paragraphs = Array.from({ length: 2_000 }, (_, i) => `Paragraph ${i} ends here.`);
    const parts = Object.values(await split(paragraphs.join("\n\n"), 32));
    for (const paragraph of paragraphs) {
      expect(parts.filter((part) => part.includes(paragraph)).length).toBe(1);
    }
  });

  it("leaves each split enough for a context, from any text with enough for three", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.nat(5_000), async (context, more) => {
        // A byte a token, and a block may be twice its size: twice three contexts always do.
        const { train, gate, heldOut } = await split(prose(6 * (context + 1) + more), context);
        for (const part of [train, gate, heldOut]) expect(part.length).toBeGreaterThan(context);
      }),
      { numRuns: 40 },
    );
  });

  it("splits the same text the same way", async () => {
    const text = prose(100_000);
    expect(await split(text, 64)).toEqual(await split(text, 64));
  });
});

describe("plan", () => {
  it("has one block of each group for gate and another for held-out, at places that vary", () => {
    const { split } = plan(128);
    const blocks = Array.from({ length: 12 + 20 * 50 }, (_, i) => split(i));
    expect(blocks.slice(0, 12)).toEqual([...SPLITS, ...SPLITS, ...SPLITS, ...SPLITS]);
    const places = new Set<string>();
    for (let at = 12; at < blocks.length; at += 20) {
      const group = blocks.slice(at, at + 20);
      expect(group.filter((name) => name === "gate").length).toBe(1);
      expect(group.filter((name) => name === "heldOut").length).toBe(1);
      places.add(`${group.indexOf("gate")} ${group.indexOf("heldOut")}`);
    }
    expect(places.size).toBeGreaterThan(30);
  });

  it("grows its blocks from a context's length to some paragraphs'", () => {
    const sizes = Array.from({ length: 14 }, (_, i) => plan(99).size(i));
    expect(sizes).toEqual([100, 100, 100, 200, 200, 200, 400, 400, 400, 800, 800, 800, 4_096, 4_096]);
    expect(plan(1_024).size(12)).toBe(8_192);
  });
});
