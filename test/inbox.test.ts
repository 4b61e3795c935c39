import { expect, onTestFinished, test } from "vitest";
import { canonicalJson } from "../protocol/canonical.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { createIdentity } from "../protocol/identity.ts";
import { signTicket, type Ticket } from "../protocol/ticket.ts";
import type { Upload } from "../protocol/upload.ts";
import { EdgeNode } from "../server/app/edge-node.ts";
import type { Accepted } from "../server/coordinator/events.ts";
import { FollowedClock } from "../server/run/followed-clock.ts";
import { decodeRecord } from "../server/run/record.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import { followedFiles } from "./harness/followed-files.ts";
import type { MemoryFiles } from "./harness/memory-files.ts";
import { MemoryInbox } from "./harness/memory-inbox.ts";
import {
  advance,
  deltaOf,
  restart,
  silentLog,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
  vectorTask,
} from "./harness/tiny-run.ts";

const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2 });
const noText = async () => new Uint16Array();

/** A run that one server leads, and its servers' inbox. */
async function world() {
  const inbox = new MemoryInbox();
  const leader = await tinyRun({ settings, corpus, inbox });
  const volunteer = await TestVolunteer.create();
  return { inbox, leader, volunteer };
}

/** Another server of the run, which has heard from the one that leads. */
async function edgeOf({ files, run, clock }: TinyRun, inbox: MemoryInbox) {
  const { store, listeners } = await followedFiles(files);
  Object.assign(store, { inbox: inbox.of(store) });
  const texts = { heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 };
  const node = await EdgeNode.over({
    ...{ store, log: silentLog, task: vectorTask },
    corpus: { ...texts, corpus, refresh: async () => {} },
    time: { now: clock.read, sleep: sleepUntilAborted },
  });
  onTestFinished(() => node.close());
  expect(node.passing.takesDeltas(), "it does not know the time").toBe(false);
  const beat = (from = "leader", at = run.now) => {
    for (const listener of listeners) listener({ from, clock: at, networkKey: new Uint8Array(32) });
  };
  beat();
  expect(node.passing.takesDeltas()).toBe(true);
  const send = ({ identity }: TestVolunteer, upload: Upload) =>
    node.service.accept(identity.key, upload.ticket.id, upload);
  return { node, send, beat };
}

const sleepUntilAborted = (_ms: number, signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** The journal's deltas. */
async function acceptedIn(files: MemoryFiles): Promise<Accepted[]> {
  const found: Accepted[] = [];
  for await (const { record } of (await readOnlyStore(files)).records()) {
    const { event } = decodeRecord(record);
    if (event.type === "accepted") found.push(event);
  }
  return found;
}

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

/** A frame whose last value is NaN. */
const notFinite = (frame: Uint8Array<ArrayBuffer>) => {
  const changed = frame.slice();
  changed.fill(0xff, changed.length - 4);
  return changed;
};

/** A run whose deltas arrive at once. */
function withArrivals({ run }: TinyRun, inbox: MemoryInbox): TinyRun["run"] {
  inbox.seams.afterPut = async () => void setImmediate(() => inbox.arrive());
  return run;
}

test("an edge of a run that had no inbox is opened again once a server leads that made one", async () => {
  const leader = await tinyRun({ settings, corpus });
  const { store, listeners } = await followedFiles(leader.files);
  const texts = { heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 };
  const node = await EdgeNode.over({
    ...{ store, log: silentLog, task: vectorTask },
    corpus: { ...texts, corpus, refresh: async () => {} },
    time: { now: leader.clock.read, sleep: sleepUntilAborted },
  });
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

test("the run clock that is heard of goes on for three seconds, never back, and is another server's with its first word", () => {
  let now = 0;
  const clock = new FollowedClock(() => now);
  expect([clock.known, clock.now()]).toEqual([false, 0]);
  clock.hear("one", 5_000);
  now += 400;
  expect([clock.known, clock.now()]).toEqual([true, 5_400]);
  clock.hear("one", 5_300); // it was long on its way
  expect(clock.now()).toBe(5_400);
  now += 60_000;
  expect(clock.now(), "nobody leads: the run stands still").toBe(8_400);
  clock.hear("two", 6_000);
  expect(clock.now()).toBe(6_000);
});
