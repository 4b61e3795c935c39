import { beforeAll, describe, expect, it } from "vitest";
import { type DeltaProof, signRecord } from "../../../protocol/history.ts";
import { createIdentity, type Identity } from "../../../protocol/identity.ts";
import type { Hash, RunId, TicketId, VolunteerKey } from "../../../protocol/ids.ts";
import { createProofs, type SentDelta } from "./proofs.ts";

const hash = (digit: string) => digit.repeat(64) as Hash;
const run = "9".repeat(64) as RunId;
let server: Identity;
let me: VolunteerKey;
beforeAll(async () => {
  server = await createIdentity();
  me = (await createIdentity()).key;
});

const own = (version: number): SentDelta => ({
  ...{ run, volunteer: me, version, delta: hash("d") },
  ticket: String(version).padStart(22, "t") as TicketId,
});

async function proofOf(delta: SentDelta, signer = server): Promise<DeltaProof> {
  const other = { ticket: "o".repeat(22) as TicketId, volunteer: me, delta: hash("e"), weight: 3 };
  const { ticket, volunteer, delta: of } = delta;
  const record = await signRecord(signer.privateKey, {
    ...{ run, version: delta.version + 1, previous: hash("1"), model: hash("2"), diff: hash("3"), step: {} },
    merged: [other, { ticket, volunteer, delta: of, weight: 1 }],
  });
  return { record, position: 1 };
}

describe("proofs of own deltas", () => {
  it("shows the one that the server signed, with its place and its part of the mean", async () => {
    const asked: TicketId[] = [];
    const proofs = createProofs({
      server: server.key,
      ask: (delta) => {
        asked.push(delta.ticket);
        return proofOf(own(delta.ticket === own(4).ticket ? 4 : 3));
      },
    });
    proofs.sent(own(4));
    await proofs.published(4); // not in its own version
    expect([asked, proofs.newest.value]).toEqual([[], undefined]);
    await proofs.published(5);
    expect(proofs.newest.value).toEqual({ version: 5, place: 2, of: 2, share: 0.25, delta: hash("d") });
    await proofs.published(6);
    expect(asked).toEqual([own(4).ticket]); // once is enough
    expect(proofs.broken.value).toBe(false);
  });

  it("asks again while it is in no version or the server is away, and gives up when it was discarded", async () => {
    let asked = 0;
    const answers = [undefined, "away"] as const;
    const proofs = createProofs({
      server: server.key,
      ask: async () => {
        if (answers[asked++ % 2] === "away") throw new Error("away");
        return undefined;
      },
    });
    proofs.sent(own(1));
    for (let version = 2; version <= 12; version++) await proofs.published(version);
    expect(asked).toBe(6);
    expect([proofs.newest.value, proofs.broken.value]).toEqual([undefined, false]);
  });

  it("says so when a proof is signed by another, or is of another's delta", async () => {
    const stranger = await createIdentity();
    const forged = createProofs({ server: server.key, ask: () => proofOf(own(1), stranger) });
    forged.sent(own(1));
    await forged.published(2);
    expect([forged.newest.value, forged.broken.value]).toEqual([undefined, true]);
    const wrong = createProofs({ server: server.key, ask: () => proofOf(own(2)) });
    wrong.sent(own(1));
    await wrong.published(2);
    expect([wrong.newest.value, wrong.broken.value]).toEqual([undefined, true]);
  });
});
