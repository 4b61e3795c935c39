import { expect, onTestFinished } from "vitest";
import type { Upload } from "../../protocol/upload.ts";
import { EdgeNode } from "../../server/app/edge-node.ts";
import type { Accepted } from "../../server/coordinator/events.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { readOnlyStore } from "../../server/store/read-only.ts";
import { followedFiles } from "./followed-files.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { MemoryInbox } from "./memory-inbox.ts";
import {
  silentLog,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  vectorTask,
} from "./tiny-run.ts";

export const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2 });
const noText = async () => new Uint16Array();

/** A run that one server leads, and its servers' inbox. */
export async function world() {
  const inbox = new MemoryInbox();
  const leader = await tinyRun({ settings, corpus, inbox });
  const volunteer = await TestVolunteer.create();
  return { inbox, leader, volunteer };
}

/** Another server of the run, which has heard from the one that leads. */
export async function edgeOf(leader: TinyRun, inbox: MemoryInbox) {
  const { node, listeners } = await openEdge(leader, inbox);
  const { run } = leader;
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

/** The same before it has heard anything; without an inbox it is of a run that has none. */
export async function openEdge({ files, clock }: TinyRun, inbox?: MemoryInbox) {
  const { store, listeners } = await followedFiles(files);
  if (inbox !== undefined) Object.assign(store, { inbox: inbox.of(store) });
  const texts = { heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 };
  const node = await EdgeNode.over({
    ...{ store, log: silentLog, task: vectorTask },
    corpus: { ...texts, corpus, refresh: async () => {} },
    time: { now: clock.read, sleep: sleepUntilAborted },
  });
  onTestFinished(() => node.close());
  return { node, listeners };
}

const sleepUntilAborted = (_ms: number, signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** The journal's deltas. */
export async function acceptedIn(files: MemoryFiles): Promise<Accepted[]> {
  const found: Accepted[] = [];
  for await (const { record } of (await readOnlyStore(files)).records()) {
    const { event } = decodeRecord(record);
    if (event.type === "accepted") found.push(event);
  }
  return found;
}
