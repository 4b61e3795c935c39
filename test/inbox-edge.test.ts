import { expect, test } from "vitest";
import { createIdentity } from "../protocol/identity.ts";
import { signTicket, type Ticket } from "../protocol/ticket.ts";
import type { Upload } from "../protocol/upload.ts";
import { acceptedIn, corpus, edgeOf, openEdge, world } from "./harness/inbox-world.ts";
import { deltaOf, restart, tinyRun, until, uploadOf } from "./harness/tiny-run.ts";

test("a stranger's bytes end at the edge that they come to, each with its error", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  const ticket = await volunteer.ticket(leader.run);
  const stranger = await createIdentity();
  const { signature: _, ...terms } = ticket;
  const forged: Ticket = await signTicket(stranger.privateKey, terms);
  const good = uploadOf(ticket, deltaOf(1));
  const bad: readonly [string, Upload][] = [
    ["bad-ticket", { ...good, ticket: forged }],
    ["bad-ticket", { ...good, ticket: { ...ticket, steps: ticket.steps + 1 } }],
    ["too-large", { ...good, frame: new Uint8Array(100_000) }],
    ["not-finite", { ...good, frame: notFinite(good.frame) }],
    ["norm-too-large", uploadOf(ticket, new Float32Array(10).fill(1e9))],
    ["wrong-shape", uploadOf(ticket, new Float32Array(9))],
  ];
  for (const [code, upload] of bad)
    await expect(edge.send(volunteer, upload), code).rejects.toMatchObject({ code });
  leader.clock.ms += 61_000;
  edge.beat();
  await expect(edge.send(volunteer, good)).rejects.toMatchObject({ code: "lease-expired" });
  expect(inbox.messages).toEqual([]);
  await leader.run.close();
});

test("what an edge could not know is journaled as refused: it has its receipt, ends at once, and counts for nothing", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  const ticket = await volunteer.ticket(leader.run);
  await leader.run.admin.ban(volunteer.identity.key); // the edge has not read of it yet
  const upload = uploadOf(ticket, deltaOf(1));
  const receipt = await edge.send(volunteer, upload);
  inbox.arrive();
  await until(() => leader.run.credit(volunteer.identity.key).refused === 1);
  expect(leader.run.credit(volunteer.identity.key)).toMatchObject({ pending: 0, merged: 0 });
  expect(await acceptedIn(leader.files)).toMatchObject([{ refused: "banned" }]);
  await edge.node.catchUp();
  expect(await edge.send(volunteer, upload)).toEqual(receipt);
  await leader.run.close();
  const again = await restart(leader);
  expect(again.run.credit(volunteer.identity.key)).toMatchObject({ refused: 1, pending: 0 });
  await again.run.close();
});

test("an edge of a run that had no inbox is opened again once a server leads that made one", async () => {
  const leader = await tinyRun({ corpus });
  const { node, listeners } = await openEdge(leader);
  expect(node.lost.aborted).toBe(false);
  for (const listener of listeners) listener({ from: "new", clock: 0, networkKey: new Uint8Array(32) });
  expect([node.lost.aborted, node.passing.takesDeltas()]).toEqual([true, false]);
  await node.close();
  await leader.run.close();
});

test("an edge that is closed passes deltas on: whoever leads then answers", async () => {
  const { inbox, leader } = await world();
  const { node } = await edgeOf(leader, inbox);
  const closing = node.close();
  expect(node.passing.takesDeltas()).toBe(false);
  await closing;
  await leader.run.close();
});

/** A frame whose last value is NaN. */
const notFinite = (frame: Uint8Array<ArrayBuffer>) => {
  const changed = frame.slice();
  changed.fill(0xff, changed.length - 4);
  return changed;
};
