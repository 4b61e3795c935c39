import { expect, test } from "vitest";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { joinRecord, splitMessage, splitRecord } from "./record-parts.ts";
import { StoreError } from "./store.ts";

const [head, frame] = [utf8("head"), utf8("a frame")];
const whole = concat(...joinRecord(head, frame));

test("a record and a message between servers have one form", () => {
  expect(splitRecord(whole)).toEqual({ head, frame });
  expect(splitMessage(whole)).toEqual({ head, body: frame });
});

test.each([0, 3, 4, 7])("cut after %d bytes, a record is damage, and a message a bad request", (bytes) => {
  const cut = whole.slice(0, bytes);
  expect(() => splitRecord(cut)).toThrow(StoreError);
  expect(() => splitMessage(cut)).toThrow(expect.objectContaining({ code: "bad-request" }));
});

test("a message's head is refused by what it says of its length, before there is so much", () => {
  expect(splitMessage(whole, head.length).head).toEqual(head);
  const tooLarge = expect.objectContaining({ code: "too-large" });
  expect(() => splitMessage(whole, head.length - 1)).toThrow(tooLarge);
  expect(() => splitMessage(whole.slice(0, 4), head.length - 1)).toThrow(tooLarge);
});
