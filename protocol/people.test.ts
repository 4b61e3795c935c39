import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_NAME_CHARS, normaliseName, parseLeaders } from "./people.ts";

describe("A12, U1: a name", () => {
  it.each([
    ["  Ann \t of  the\u00a0Reeds ", "Ann of the Reeds"],
    ["Zoe\u0308", "Zoë"],
    ["星", "星"],
    ["Ann \u2764\ufe0f", "Ann \u2764"],
    ["R2-D2 🐦", "R2-D2 🐦"],
    ["<b>Bob</b>", "<b>Bob</b>"], // kept as text: pages show names as text nodes
  ])("%j is kept as %j", (given, kept) => expect(normaliseName(given)).toBe(kept));

  it.each([
    ["", "is empty"],
    [" \n ", "is empty"],
    ["x".repeat(MAX_NAME_CHARS + 1), "more than 32"],
    ["x".repeat(1_000), "at most 128"],
    ["evil\u202eeman", "cannot be shown"],
    ["zero\u200bwidth", "cannot be shown"],
    ["bell\u0007", "cannot be shown"],
    ["half\ud800", "cannot be shown"],
    ["Ann\u3164", "cannot be shown"],
    ["\u1160Ann", "cannot be shown"],
    ["An\uffa0n", "cannot be shown"],
    ["A\u034fnn", "cannot be shown"],
    ["A\u2800nn", "cannot be shown"],
    ["A\u{1d159}nn", "cannot be shown"],
    ["A\ufffcnn", "cannot be shown"],
    ["\u0301Ann", "begins with a mark"],
    [" \u0488Ann", "begins with a mark"],
    ["\u{e0100}Ann", "cannot be shown"],
    ["z\u0330\u0331\u0332\u0333algo", "cannot be shown"],
    ["!!!", "neither a letter nor a digit"],
    [7, "text of at most"],
    [{ toString: () => "x" }, "text of at most"],
  ])("%j is refused", (given, why) => expect(() => normaliseName(given)).toThrow(why));

  it("whatever is kept is kept the same again, short, and in one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (given) => {
        let kept: string;
        try {
          kept = normaliseName(given);
        } catch {
          return;
        }
        expect(normaliseName(kept)).toBe(kept);
        expect([...kept].length).toBeLessThanOrEqual(MAX_NAME_CHARS);
        expect(kept).not.toMatch(/[\n\r\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });
});

describe("a list of leaders from a stranger", () => {
  it("is read, or refused whole", () => {
    const leaders = [{ name: "Ann", tokens: 5, recent: 2 }];
    expect(parseLeaders({ leaders })).toEqual(leaders);
    expect(() => parseLeaders({ leaders: [{ ...leaders[0], tokens: -1 }] })).toThrow("tokens");
    expect(() => parseLeaders({ leaders: [{ ...leaders[0], name: "a\u202eb" }] })).toThrow("cannot be shown");
    expect(() => parseLeaders({ leaders: Array(51).fill(leaders[0]) })).toThrow("at most 50");
  });
});
