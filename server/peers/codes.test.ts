import { beforeEach, describe, expect, it } from "vitest";
import { toBase64Url } from "../../protocol/bytes.ts";
import { CODE_MS } from "../../protocol/code.ts";
import type { PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { Codes } from "./codes.ts";

const key = (name: string) => name.padEnd(43, "k") as VolunteerKey;
const boxOf = (n: number) => toBase64Url(new Uint8Array(new Uint32Array(4).fill(n).buffer)) as PeerId;
const [owner, visitor, thief] = [key("owner"), key("visitor"), key("thief")];
const box = boxOf(1);

let now = 0;
let codes: Codes;
beforeEach(() => {
  now = 1_000;
  codes = new Codes(() => now);
});

const open = (by = owner, name = box, network?: string) => codes.take(by, { box: name, open: true }, network);
const knock = (by = visitor, note = "mine") => codes.take(by, { box, knock: note });
const hand = (by = owner, note = "sealed") => codes.take(by, { box, hand: note });

describe("a code's box", () => {
  it("U6: passes one note each way, gives the second out once, and says to its owner that it was taken", () => {
    expect(open()).toEqual({ left: CODE_MS, knock: null, hand: null, taken: false });
    expect(knock()).toEqual({ left: CODE_MS, knock: null, hand: null, taken: false });
    now += 5_000;
    expect(open()).toMatchObject({ left: CODE_MS - 5_000, knock: "mine", taken: false });
    expect(hand()).toMatchObject({ hand: null, taken: false }); // nobody but the visitor is told
    expect(knock()).toMatchObject({ hand: "sealed", taken: true });
    expect(open()).toMatchObject({ taken: true });
    expect(() => knock()).toThrow("used already");
    expect(() => hand()).toThrow("nobody to hand it to");
  });

  it("A35, U6: takes one knock, and nothing of anybody else", () => {
    expect(() => knock()).toThrow("no such code");
    open();
    expect(() => hand(), "before a knock").toThrow("nobody to hand it to");
    knock(thief);
    expect(() => knock(), "the honest visitor hears of it").toThrow("used already");
    expect(() => knock(thief, "another")).toThrow("used already");
    for (const request of [{ open: true }, { hand: "x" }] as const) {
      expect(() => codes.take(thief, { box, ...request })).toThrow("no such code");
    }
  });

  it("U6: is gone after two minutes, and a key's earlier one when it opens another", () => {
    open();
    now += CODE_MS - 1;
    knock();
    now += 1;
    expect(() => knock()).toThrow("no such code");
    open();
    open(owner, boxOf(2));
    expect(() => knock()).toThrow("no such code");
    expect(codes.size).toBe(1);
  });

  it("U6: are few, and of one network fewer; what is over makes room", () => {
    const opened = (network: string) => {
      let count = 0;
      try {
        for (; count < 2_000; count++) open(key(`${network}${count}`), boxOf(count + 7), network);
      } catch {}
      return count;
    };
    expect(opened("one")).toBe(64);
    now += CODE_MS;
    expect(codes.size).toBe(0);
    for (let n = 0; n < 1_000; n++) open(key(`n${n}`), boxOf(n), `network ${n}`);
    expect(() => open(owner, boxOf(5_000), "last")).toThrow("too many codes");
    now += CODE_MS;
    expect(open(owner, boxOf(5_000), "last").left).toBe(CODE_MS);
  });
});
