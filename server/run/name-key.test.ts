import { expect, test } from "vitest";
import { nameKey } from "./name-key.ts";

test.each([
  ["case, accents, blanks and punctuation", "Änn  of Reeds!", "ann ofreeds"],
  ["a Cyrillic letter", "Ann", "\u0410nn"],
  ["a whole word in Cyrillic", "cocoa", "\u0441\u043e\u0441\u043e\u0430"],
  ["Greek capitals", "NATO", "\u039d\u0391\u03a4\u039f"],
  ["two scripts that are not ours", "\u041f\u043e\u043f", "\u03a0\u03bf\u03a0"],
  ["wide letters", "Ann", "\uff21\uff4e\uff4e"],
  ["mathematical letters", "Ann", "\u{1d400}\u{1d427}\u{1d427}"],
  ["letters that are blank", "Ann", "A\u3164nn\u034f"],
  ["symbols that are blank", "Ann", "\ufffcA\u{1d159}n\u2800n"],
  ["zero and O", "B0b", "bOB"],
  ["one, I and l", "Al1ce", "AIIce"],
  ["rn and m", "Arnold", "Amold"],
  ["a long s", "Jesse", "Je\u017f\u017fe"],
])("A29, U2: names that differ by %s are one", (_, one, other) => expect(nameKey(one)).toBe(nameKey(other)));

test("A29, U2, the control: names that look different are two", () => {
  const names = [
    "Ann",
    "Anna",
    "Bob",
    "Rob",
    "\u661f",
    "\u6708",
    "\u0418\u0432\u0430\u043d",
    "R2-D2",
    "C-3PO",
  ];
  expect(new Set(names.map(nameKey)).size).toBe(names.length);
});
