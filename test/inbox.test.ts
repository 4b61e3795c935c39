import { expect, test } from "vitest";
import { canonicalJson } from "../protocol/canonical.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Upload } from "../protocol/upload.ts";
import { acceptedIn, corpus, edgeOf, world } from "./harness/inbox-world.ts";
import type { MemoryInbox } from "./harness/memory-inbox.ts";
import { advance, deltaOf, type TinyRun, tinyRun, until, uploadOf } from "./harness/tiny-run.ts";

test("two edges and the leader give one delta one receipt, however often it is sent, and a ticket's other delta none", async () => {
  const { inbox, leader, volunteer } = await world();
  const [one, other] = [await edgeOf(leader, inbox), await edgeOf(leader, inbox)];
  const ticket = await volunteer.ticket(leader.run);
  const [upload, second] = [uploadOf(ticket, deltaOf(1)), uploadOf(ticket, deltaOf(2))];
  leader.clock.ms += 40;
  const first = await one.send(volunteer, upload);
  leader.clock.ms += 500; // another server's clock says another time: the receipt is the one that was given
  const sent = [
    ...[one, other, other].map(({ send }) => send(volunteer, upload)),
    volunteer.send(leader.run, upload),
  ];
  const receipts = new Set([first, ...(await Promise.all(sent))].map(canonicalJson));
  expect([...receipts]).toEqual([canonicalJson(first)]);
  expect(first.accepted).toBe(40);
  for (const send of [one.send, other.send])
    await expect(send(volunteer, second)).rejects.toMatchObject({ code: "ticket-used" });
  await expect(volunteer.send(leader.run, second)).rejects.toMatchObject({ code: "ticket-used" });
  expect(inbox.messages).toHaveLength(1);
  expect(await acceptedIn(leader.files), "the leader has not looked yet").toEqual([]);
  const pendingAt = ({ node }: typeof one) => node.service.credit(volunteer.identity.key).pending;
  expect(pendingAt(one), "who has the receipt is told so").toBe(1);
  inbox.arrive();
  await until(() => leader.run.waitedMs > 0);
  expect(await acceptedIn(leader.files)).toMatchObject([
    { delta: first.delta, at: 40, took: 40, ticket: ticket.id },
  ]);
  expect(await volunteer.send(leader.run, upload)).toEqual(first);
  await one.node.catchUp();
  expect(pendingAt(one), "and no more once the journal has it").toBe(1);
  expect(await one.send(volunteer, upload), "from the journal").toEqual(first);
  expect(pendingAt(one)).toBe(1);
  await leader.run.close();
});

test("control: where two servers keep what each gets, one delta has two receipts, and a ticket two deltas", async () => {
  const { inbox, leader, volunteer } = await world();
  const [one, other] = [await edgeOf(leader, inbox), await edgeOf(leader, inbox)];
  inbox.once = false;
  const ticket = await volunteer.ticket(leader.run);
  const upload = uploadOf(ticket, deltaOf(1));
  const first = await one.send(volunteer, upload);
  leader.clock.ms += 500;
  expect(await other.send(volunteer, upload)).not.toEqual(first);
  await expect(other.send(volunteer, uploadOf(ticket, deltaOf(2)))).resolves.toBeDefined();
  inbox.arrive();
  await until(() => leader.run.credit(volunteer.identity.key).pending === 1);
  expect(await acceptedIn(leader.files), "all the same a ticket counts once").toHaveLength(1);
  await leader.run.close();
});

test("a delta that is acknowledged while nobody leads is counted by the server that leads next", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  const uploads: Upload[] = [];
  for (const seed of [1, 2]) uploads.push(uploadOf(await volunteer.ticket(leader.run), deltaOf(seed)));
  // kill −9: its files stay, and it never hears of what comes.
  const receipts = await Promise.all(uploads.map((upload) => edge.send(volunteer, upload)));
  const next = await tinyRun({ files: leader.files.restart("kill"), clock: leader.clock, corpus, inbox });
  await until(() => next.run.credit(volunteer.identity.key).pending === 2);
  const { version } = next.run.status();
  next.clock.ms += 5_000;
  next.run.tick();
  await until(() => next.run.status().version === version + 1);
  expect(next.run.credit(volunteer.identity.key)).toMatchObject({ merged: 2, pending: 0 });
  for (const [i, upload] of uploads.entries())
    expect(await volunteer.send(next.run, upload)).toEqual(receipts[i]);
  await next.run.close();
});

test("an edge that dies between keeping a delta and answering leaves it to whoever is asked next", async () => {
  const { inbox, leader, volunteer } = await world();
  const [dying, other] = [await edgeOf(leader, inbox), await edgeOf(leader, inbox)];
  const upload = uploadOf(await volunteer.ticket(leader.run), deltaOf(1));
  inbox.seams.afterPut = () => Promise.reject(new Error("killed"));
  await expect(dying.send(volunteer, upload)).rejects.toThrow("killed");
  inbox.seams.afterPut = async () => {};
  leader.clock.ms += 700;
  const receipt = await other.send(volunteer, upload);
  expect(receipt.accepted, "when it was kept").toBe(0);
  expect(inbox.messages).toHaveLength(1);
  inbox.arrive();
  await until(() => leader.run.credit(volunteer.identity.key).pending === 1);
  expect(await volunteer.send(leader.run, upload)).toEqual(receipt);
  await leader.run.close();
});

test("a leader that ends in the middle journals some; the next one the rest, and none twice", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  const uploads: Upload[] = [];
  for (const seed of [1, 2, 3]) uploads.push(uploadOf(await volunteer.ticket(leader.run), deltaOf(seed)));
  for (const upload of uploads) await edge.send(volunteer, upload);
  // The second is not stored, as where another server has appended; the third is, in the next block.
  inbox.seams.beforeAppend = (seq) =>
    seq === 2 ? Promise.reject(new ProtocolError("no-space", "it is full", 1)) : Promise.resolve();
  inbox.arrive();
  await until(() => leader.run.credit(volunteer.identity.key).pending === 2);
  expect(inbox.taken, "not all up to the third").toBe(0);
  inbox.seams.beforeAppend = async () => {};
  const next = await tinyRun({ files: leader.files.restart("kill"), clock: leader.clock, corpus, inbox });
  await until(() => next.run.credit(volunteer.identity.key).pending === 3);
  const tickets = (await acceptedIn(next.files)).map(({ ticket }) => ticket);
  expect(tickets).toEqual([0, 2, 1].map((i) => uploads[i]?.ticket.id));
  await next.run.close();
});

test("a journal that is full for a while is tried again, and measures no delta twice", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  const upload = uploadOf(await volunteer.ticket(leader.run), deltaOf(1));
  await edge.send(volunteer, upload);
  let tries = 0;
  inbox.seams.beforeAppend = async () => {
    if (++tries < 3) throw new ProtocolError("no-space", "it is full", 1);
  };
  for (const turn of [1, 2, 3]) {
    inbox.arrive();
    await until(() => tries === turn);
  }
  await until(() => leader.run.credit(volunteer.identity.key).pending === 1);
  expect(await acceptedIn(leader.files)).toHaveLength(1);
  await leader.run.close();
});

test("a message that is no delta of the run is passed over, and those after it count", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  for (const bytes of [new Uint8Array(), new Uint8Array(40).fill(7), new Uint8Array([2, 0, 0, 0, 123, 125])])
    inbox.messages.push({ ticket: "x" as never, bytes });
  await edge.send(volunteer, uploadOf(await volunteer.ticket(leader.run), deltaOf(1)));
  inbox.arrive();
  await until(() => leader.run.credit(volunteer.identity.key).pending === 1);
  await leader.run.close();
});

test("a server that stops in order journals first what was acknowledged", async () => {
  const { inbox, leader, volunteer } = await world();
  const edge = await edgeOf(leader, inbox);
  await advance(volunteer, { ...leader, run: withArrivals(leader, inbox) }, 1);
  await edge.send(volunteer, uploadOf(await volunteer.ticket(leader.run), deltaOf(1)));
  await leader.run.close();
  expect(await acceptedIn(leader.files)).toHaveLength(3);
});

test("it tries again while the cluster elects, and not for ever", async () => {
  for (const failures of [3, Number.POSITIVE_INFINITY]) {
    const { inbox, leader, volunteer } = await world();
    const edge = await edgeOf(leader, inbox);
    await edge.send(volunteer, uploadOf(await volunteer.ticket(leader.run), deltaOf(1)));
    let tries = 0;
    inbox.seams.beforeRead = async () => {
      setImmediate(() => inbox.arrive());
      if (tries++ < failures) throw new Error("the cluster elects a leader");
    };
    await leader.run.close();
    const isTaken = failures === 3;
    expect(await acceptedIn(leader.files)).toHaveLength(isTaken ? 1 : 0);
    expect(tries, "what is left the next server journals").toBeLessThan(20);
  }
});

/** A run whose deltas arrive at once. */
function withArrivals({ run }: TinyRun, inbox: MemoryInbox): TinyRun["run"] {
  inbox.seams.afterPut = async () => void setImmediate(() => inbox.arrive());
  return run;
}
