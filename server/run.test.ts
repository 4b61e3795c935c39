import { expect, test } from "vitest";
import { bytesOf, toFloats } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/identity.ts";
import { deltaOf, TestVolunteer, tinyRun, until, uploadOf } from "../test/harness/tiny-run.ts";
import { applyDiff } from "./merge/merge.ts";

test("ten numbers pass through rounds, merge and store, and every replica follows to the byte", async () => {
  const { run } = await tinyRun();
  const volunteer = await TestVolunteer.create();
  let replica = toFloats(run.latestSnapshot().bytes);
  for (let version = 0; version < 7; version++) {
    const ticket = await volunteer.ticket(run);
    expect(ticket.version).toBe(version);
    expect(await sha256(bytesOf(replica))).toBe(ticket.hash);
    await volunteer.send(run, uploadOf(ticket, deltaOf(version)));
    await volunteer.contribute(run, deltaOf(version + 0.5));
    await until(() => run.status().version === version + 1);
    replica = applyDiff(replica, await run.diff(version));
  }
  expect(await sha256(bytesOf(replica))).toBe(run.latestSnapshot().hash);
  expect(run.credit(volunteer.identity.key)).toEqual({ tokens: 14 * 32, merged: 14, pending: 0, refused: 0 });
  expect(run.status()).toMatchObject({
    version: 7,
    tokensMerged: 14 * 32,
    deltas: { merged: 14, refused: {} },
  });
  await run.close();
});
