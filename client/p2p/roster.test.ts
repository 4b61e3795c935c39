import { expect, it } from "vitest";
import type { PeerId } from "../../protocol/ids.ts";
import { DIAL_MS, MAX_DIALLED, MAX_PEERS } from "./limits.ts";
import { Roster } from "./roster.ts";

const peer = (n: number) => `peer${n}`.padEnd(22, "_") as PeerId;
const many = Array.from({ length: 40 }, (_, n) => peer(n));
const nobody = () => false;

it("dials a handful at most, however many are introduced", () => {
  const roster = new Roster();
  expect(roster.dial(many, 0)).toEqual(many.slice(0, MAX_DIALLED));
  expect(roster.dial(many, 0)).toEqual([]);
});

it("dials nobody where every place is taken", () => {
  const roster = new Roster();
  for (const id of many.slice(0, MAX_PEERS)) roster.open(id, 0);
  expect(roster.isFull).toBe(true);
  expect(roster.dial(many, 0)).toEqual([]);
});

it("reports a dialled peer overdue until it opens", () => {
  const roster = new Roster();
  roster.dial([peer(1), peer(2)], 0);
  expect(roster.overdue(DIAL_MS - 1)).toEqual([]);
  roster.open(peer(1), DIAL_MS - 1);
  expect(roster.overdue(DIAL_MS)).toEqual([peer(2)]);
});

it("dials a peer that left only after we moved, and one that it shuns never", () => {
  const roster = new Roster();
  roster.dial([peer(1), peer(2)], 0);
  roster.leave(peer(1));
  roster.shun(peer(2));
  for (const id of [peer(1), peer(2)]) roster.remove(id);
  expect(roster.dial([peer(1), peer(2)], 0)).toEqual([]);
  roster.moved();
  expect(roster.dial([peer(1), peer(2)], 0)).toEqual([peer(1)]);
});

it("can do without a peer that came to us a while ago, wants nothing and is not needed", () => {
  const roster = new Roster();
  roster.dial([peer(1)], 0);
  for (const id of [peer(1), peer(2)]) roster.open(id, 0);
  expect(roster.dispensable(nobody, DIAL_MS - 1)).toBeUndefined();
  expect(roster.dispensable((id) => id === peer(2), DIAL_MS)).toBeUndefined();
  expect(roster.dispensable(nobody, DIAL_MS)).toBe(peer(2));
});
