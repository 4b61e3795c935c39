import { expect, test, vi } from "vitest";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Audited } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import { Gauge } from "../trust/gauge.ts";
import { Audits } from "./audits.ts";

const PARAMETERS = 4_096;
const CONTEXT = 16;
const volunteer = "v".repeat(43) as VolunteerKey;
const hash = "0".repeat(64) as Hash;
const frame = encodeFrame(
  DENSE4,
  Float32Array.from({ length: PARAMETERS }, (_, i) => Math.sin(i)),
);

const ticketOf = (id: string, window: number, fresh: boolean): Ticket => ({
  ...{ run: hash as string as RunId, id: id as TicketId, volunteer, version: 0, hash, shard: hash },
  ...{ window, seed: window, steps: 2, batch: 2, rates: [0.01, 0.01], fresh, lease: 1_000, issued: 0 },
  signature: "" as Signature,
});

/** What is recorded of two tickets' deltas that are the same to the byte, on this text. */
async function twice(
  text: Uint16Array,
  { fresh = false, distance = 0, isFirstAccepted = true } = {},
): Promise<Omit<Audited, "at">[]> {
  const recorded: Omit<Audited, "at">[] = [];
  const gauge = new Gauge(PARAMETERS, DENSE4, [], () => 0.5);
  const better = { before: 3, after: 2 };
  const audits = new Audits({
    ...{ share: 1, context: CONTEXT, batch: 2, parameters: PARAMETERS, gauge },
    auditor: {
      audit: async ({ ticket }) => ({ assigned: better, gate: better, ...(ticket.fresh && { distance }) }),
      direct: async () => new Float32Array(PARAMETERS),
      effects: async ({ frames }) => frames.map(() => [0]),
    },
    draw: () => 0,
    state: () => begin({ type: "created", at: 0, hash, genesis: {} }),
    rates: () => [0.01],
    weights: async () => new Float32Array(PARAMETERS),
    shard: async () => new Uint8Array(text.slice().buffer),
    record: async (audited) => void recorded.push(audited),
    failed: (error) => {
      throw error;
    },
  });
  for (const ticket of [ticketOf("first", 0, fresh), ticketOf("again", 40, fresh)]) {
    const facts = gauge.measure(ticket, frame, 1);
    if (ticket.id === "first" && !isFirstAccepted) continue;
    const report = { loss: 3, trainMs: 1, device: "wasm" };
    audits.consider(
      { ticket, report, frame },
      { ticket: ticket.id, volunteer, version: 0, tokens: 64, facts },
    );
  }
  await vi.waitFor(() => expect(recorded).toHaveLength(isFirstAccepted ? 2 : 1));
  return recorded;
}

test("A15: the same delta for other text is bad as it stands", async () => {
  const told = await twice(Uint16Array.from({ length: 2_000 }, (_, i) => (i * i) % 251));
  expect(told.find(({ ticket }) => ticket === "again")).toMatchObject({ verdict: "bad", reason: "copy" });
});

test("A15: the same delta for the same text, of a text that repeats itself, is audited as any other", async () => {
  const told = await twice(Uint16Array.from({ length: 2_000 }, (_, i) => i % 8));
  expect(told.find(({ ticket }) => ticket === "again")).toMatchObject({
    verdict: "good",
    reason: "gain",
  });
});

test("A15: the same delta as one that was measured and then refused is audited: nobody knows the other's text", async () => {
  const text = Uint16Array.from({ length: 2_000 }, (_, i) => (i * i) % 251);
  const told = await twice(text, { isFirstAccepted: false });
  expect(told).toMatchObject([{ ticket: "again", verdict: "good", reason: "gain" }]);
});

test("A15: a fresh ticket's delta that is like another's is recomputed before it is a copy; an own one is good, a copied one bad", async () => {
  const text = Uint16Array.from({ length: 2_000 }, (_, i) => (i * i) % 251);
  const verdictOn = async (distance: number) =>
    (await twice(text, { fresh: true, distance })).find(({ ticket }) => ticket === "again");
  expect(await verdictOn(0.001)).toMatchObject({ verdict: "good", reason: "recomputed" });
  expect(await verdictOn(0.5)).toMatchObject({ verdict: "bad", reason: "mismatch" });
});
