import { expect, test } from "vitest";
import { key, NONE } from "../../test/harness/trust.ts";
import { doubtedOf } from "./doubt.ts";
import { type DeltaEffect, NO_TRUST, recordPass, type Trust, weighed } from "./standing.ts";

const NAMES = ["a", "b", "c", "d", "mole"];
const effectsOf = (...values: readonly number[]): DeltaEffect[] =>
  values.map((effect, i) => ({ ticket: `${i}` as DeltaEffect["ticket"], volunteer: key(NAMES[i]!), effect }));

/** Volunteers that passed so many audits each, after some versions in which all did good. */
function lived(passed: number, versions = 4): Trust {
  let trust = NO_TRUST;
  for (const name of NAMES) {
    for (let n = 0; n < passed; n++) trust = recordPass(trust, key(name), NONE);
  }
  for (let version = 1; version <= versions; version++) {
    trust = weighed(trust, version, effectsOf(1, 2, 1, 2, 1));
  }
  return trust;
}

test("A32: who flips a delta now and then is audited for that one, which did harm where others did good", () => {
  expect(doubtedOf(lived(2), effectsOf(1, 2, 1, 2, -1))).toEqual(["4"]);
  expect(doubtedOf(lived(2), effectsOf(1, 2, 1, 2, 1))).toEqual([]); // the control: it flips none
});

test("of a version the worst two are audited, and none where all went astray", () => {
  expect(doubtedOf(lived(2), effectsOf(2, -2, -1, -4, 3))).toEqual(["3", "1"]);
  expect(doubtedOf(lived(2), effectsOf(-2, -2, -2, -2, -2))).toEqual([]);
});

test("newcomers' deltas are audited in any case, and nobody is doubted while nothing is usual", () => {
  expect(doubtedOf(lived(1), effectsOf(1, 2, 1, 2, -1))).toEqual([]);
  expect(doubtedOf(lived(2, 3), effectsOf(1, 2, 1, 2, -1))).toEqual([]);
});
