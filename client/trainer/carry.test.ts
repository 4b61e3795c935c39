import { expect, test } from "vitest";
import { decodeFrame } from "../../protocol/frame.ts";
import type { VolunteerState } from "../cache/entries.ts";
import { pack, type Trained } from "./carry.ts";

const zeros = new Float32Array(4);
const trained: Trained = { delta: zeros, moments: { m: zeros, v: zeros, step: 1 } };
const left = (version: number): VolunteerState => ({
  version,
  moments: undefined,
  residual: Float32Array.of(0, 0, 0, 7), // exact in dense4 at any power of two
  unsent: false,
});

/** What is sent of a residual of 7 left at version 10, when the next ticket is of `version`. */
const sentAt = (version: number, decay: number) =>
  decodeFrame(pack(trained, left(10), { version, fresh: false }, decay).frame, 4)[3];

test("a residual is decayed once for each version since, and at least once", () => {
  expect([10, 11, 12, 14].map((version) => sentAt(version, 0.5))).toEqual([3.5, 3.5, 1.75, 0.4375]);
});

test("a residual is forgotten after 50 versions, and when its version is no more", () => {
  expect(sentAt(60, 1)).toBe(7);
  expect(sentAt(61, 1)).toBe(0);
  expect(sentAt(9, 1)).toBe(0);
});

test("nothing is changed in place: the state before stays good until the answer is known", () => {
  const state = left(10);
  const before = structuredClone(state);
  const parcel = pack(
    { ...trained, delta: Float32Array.of(1, 2, 3, 4) },
    state,
    { version: 11, fresh: false },
    0.5,
  );
  expect(state).toEqual(before);
  expect(parcel.taken.residual).not.toBe(parcel.late.residual);
});
