import { expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { Hash, RunId } from "../../protocol/ids.ts";
import { signTicket } from "../../protocol/ticket.ts";
import { nonceOf, reportOf } from "../../test/harness/tiny-run.ts";
import { Ranges } from "../coordinator/ranges.ts";
import { begin } from "../coordinator/state.ts";
import { Gauge } from "../trust/gauge.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { Recordable } from "./event-log.ts";
import { JournalKeeper, type JournalKeeperParts } from "./journal-keeper.ts";

const PARAMETERS = 64;
const hash = "0".repeat(64) as Hash;
const server = await createIdentity();
const volunteer = await createIdentity();
const frame = encodeFrame(
  F32,
  Float32Array.from({ length: PARAMETERS }, (_, i) => Math.sin(i + 1)),
);

async function deltaFor(nonce: number): Promise<Acknowledged> {
  const ticket = await signTicket(server.privateKey, {
    ...{
      run: "a".repeat(64) as RunId,
      id: nonceOf(nonce),
      volunteer: volunteer.key,
      version: 0,
      hash,
      shard: hash,
    },
    ...{ window: 0, seed: 1, steps: 2, batch: 2, rates: [0.1, 0.1], fresh: false, lease: 1_000, issued: 0 },
  });
  return { upload: { ticket, report: reportOf(ticket), frame }, delta: hash, at: 0, norm: 1 };
}

test("a delta that could not be journaled is no copy of itself when it is sent again; control: under another ticket it is one", async () => {
  const recorded: Recordable[] = [];
  let failures = 1;
  const run: JournalKeeperParts["run"] = {
    state: begin({ type: "created", at: 0, hash, genesis: {} }),
    definition: { rules: { context: 8, ranges: new Ranges([{ hash, tokens: 8 * 40 + 1 }], 4, 8, 1) } },
    events: {
      record: async (event) => {
        if (failures-- > 0) throw new Error("the disk is full");
        recorded.push(event);
      },
    },
    quality: { gauge: new Gauge(PARAMETERS, F32, [], () => 0.5), audit() {} },
  };
  const keeper = new JournalKeeper({ run });
  const own = await deltaFor(1);
  await expect(keeper.keep(own)).rejects.toThrow("the disk is full");
  await keeper.keep(own);
  await keeper.keep(await deltaFor(2));
  const copied = recorded.map((event) => (event.type === "accepted" ? event.facts?.copies : "no delta"));
  expect(copied).toEqual([undefined, own.upload.ticket.id]);
});
