import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure, prose } from "../../test/corpus-fixture.ts";
import { type Merge, trainBpe } from "./bpe.ts";
import { WordCounts } from "./words.ts";

function counted(text: string): WordCounts {
  const words = new WordCounts();
  words.add(text);
  return words;
}

const train = (text: string, vocabulary: number) => trainBpe(counted(text), vocabulary, () => {});

/** The same merges by counting everything anew for each: slow, and short enough to be right. */
function trainSlowly(text: string, vocabulary: number): Merge[] {
  const words = [...counted(text).entries()].map(([word, times]) => ({
    ids: [...new TextEncoder().encode(word)],
    times,
  }));
  const spelling = Array.from({ length: 256 }, (_, byte) => [byte].join());
  const merges: Merge[] = [];
  while (256 + merges.length < vocabulary) {
    const counts = new Map<string, number>();
    for (const { ids, times } of words) {
      for (let i = 1; i < ids.length; i++) {
        const pair = `${ids[i - 1]} ${ids[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + times);
      }
    }
    const [best] = [...counts]
      .map(([pair, count]) => ({ pair: pair.split(" ").map(Number), count }))
      .filter(
        ({ pair, count }) => count > 1 && !spelling.includes(`${spelling[pair[0]!]},${spelling[pair[1]!]}`),
      )
      .sort((a, b) => b.count - a.count || a.pair[0]! - b.pair[0]! || a.pair[1]! - b.pair[1]!);
    if (best === undefined) break;
    const [left, right] = [best.pair[0]!, best.pair[1]!];
    const token = 256 + merges.length;
    for (const word of words) {
      for (let i = 0; i + 1 < word.ids.length; i++) {
        if (word.ids[i] === left && word.ids[i + 1] === right) word.ids.splice(i, 2, token);
      }
    }
    spelling.push(`${spelling[left]},${spelling[right]}`);
    merges.push([left, right]);
  }
  return merges;
}

describe("trainBpe", () => {
  it("merges the most frequent pair first, the smaller ids of equals", () => {
    const [a, b, c] = [97, 98, 99];
    expect(train("ab\tab\tbc\tbc\tabc", 258)).toEqual([
      [a, b],
      [b, c],
    ]);
    expect(train("bc\tbc\tab\tab", 258)).toEqual([
      [a, b],
      [b, c],
    ]);
  });

  it("makes the merges that a full recount each time would make", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "-"), minLength: 40, maxLength: 400 });
    fc.assert(
      fc.property(text, (drawn) => {
        const slowly = trainSlowly(drawn, 300);
        expect(train(drawn, 256 + slowly.length)).toEqual(slowly);
      }),
    );
  });

  it("never spells a token twice", () => {
    for (const text of [
      prose(60_000),
      "-".repeat(50) + " -".repeat(40).concat("---- --- -- ------- -----".repeat(30)),
    ]) {
      const words = counted(text);
      const most = text.startsWith("-") ? 262 : 900;
      const spelling = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
      for (const [left, right] of trainBpe(words, most, () => {}))
        spelling.push(spelling[left]! + spelling[right]!);
      expect(new Set(spelling).size).toBe(most);
    }
  });

  it("tells how far it is", () => {
    const heard: [number, number][] = [];
    trainBpe(counted("aaaa aaaa"), 258, (done, total) => heard.push([done, total]));
    expect(heard).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it("refuses a vocabulary out of bounds, or more than the text has pairs for", async () => {
    const code = (vocabulary: number) => failure((async () => train("abab abab", vocabulary))());
    for (const vocabulary of [255, 65_537, 300.5, Number.NaN])
      expect((await code(vocabulary)).code).toBe("bad-vocab");
    expect(await code(300)).toEqual({
      code: "bad-vocab",
      message: "this text has repeated pairs for a vocabulary of 258 at most",
    });
    expect((await code(258)).code).toBe("nothing failed");
    expect(train("", 256)).toEqual([]);
  });
});
