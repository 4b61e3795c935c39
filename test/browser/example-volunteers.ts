import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Enlisted } from "../../protocol/roster.ts";

/** A volunteer as the dashboard lists it. */
export const enlisted = (first: string, changes: Partial<Enlisted>): Enlisted => ({
  volunteer: first.padEnd(43, "k") as VolunteerKey,
  name: null,
  standing: "trusted",
  outMs: 0,
  merged: 15,
  tokens: 76_800,
  linked: 0,
  together: 76_800,
  discarded: 0,
  refused: {},
  seenMs: 4_200,
  device: "computer",
  browser: "Chrome",
  backend: "webgpu",
  ...changes,
});

/** One of each standing. */
export const EXAMPLE_VOLUNTEERS: readonly Enlisted[] = [
  enlisted("f3Qa", {
    standing: "banned",
    merged: 2,
    tokens: 10_240,
    refused: { "not-finite": 31 },
    seenMs: null,
  }),
  enlisted("Zw0-", {
    standing: "quarantined",
    outMs: 88_000,
    merged: 0,
    tokens: 0,
    discarded: 3,
    browser: "Node",
  }),
  enlisted("9bTt", { refused: { stale: 9, "lease-expired": 4 }, device: "phone", backend: "wasm" }),
  enlisted("p_M2", { name: "Starling", merged: 235, tokens: 1_204_224, linked: 2, together: 1_980_416 }),
  enlisted("Hh7x", {
    standing: "new",
    merged: 0,
    tokens: 0,
    backend: "unknown",
    browser: "Safari",
    seenMs: 900,
  }),
];
