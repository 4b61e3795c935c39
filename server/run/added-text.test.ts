import { expect, it } from "vitest";
import { bytesOf } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import {
  advance,
  countingRandom,
  deltaOf,
  ROUND_MS,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import type { TextAdded } from "../coordinator/events.ts";
import type { Auditor } from "../evaluate/ports.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { verify } from "../verify/verify.ts";
import { rulesOf } from "./genesis.ts";
import type { AddedText, RunCorpus } from "./options.ts";
import { decodeRecord } from "./record.ts";
import { openFollowedRun, type Run } from "./run.ts";

const volunteer = await TestVolunteer.create();

const crowd = await Promise.all(Array.from({ length: 40 }, () => TestVolunteer.create()));

/** The shards of a ticket for each of a crowd. */
async function shardsOf(run: Run): Promise<Set<Hash>> {
  const shards = new Set<Hash>();
  for (const one of crowd) shards.add((await one.ticket(run)).shard);
  return shards;
}

/** A corpus to which a test adds text: each a shard of its own. */
async function growing() {
  const first = await tinyCorpus();
  const texts: AddedText[] = [];
  const shards = new Map<Hash, Uint8Array<ArrayBuffer>>();
  const corpus: RunCorpus = {
    ...first,
    added: () => texts,
    shard: async (hash) => shards.get(hash) ?? first.shard(hash),
  };
  const grow = async (seed: number): Promise<Hash> => {
    const bytes = bytesOf(Uint16Array.from({ length: 200 }, (_, i) => (i * seed) % 251));
    const hash = await sha256(bytes);
    shards.set(hash, bytes);
    texts.push({
      text: await sha256(bytesOf(Uint16Array.of(seed))),
      tokens: 200,
      train: [{ hash, tokens: 200 }],
    });
    return hash;
  };
  return { corpus, grow };
}

it("text that is added comes in when a version has just been published; tickets that are out stay good", async () => {
  const { corpus, grow } = await growing();
  const tiny = await tinyRun({ corpus });
  const { run } = tiny;
  await advance(volunteer, tiny);
  const out = await volunteer.ticket(run);
  await volunteer.contribute(run, deltaOf(1)); // of the open version: its boundary is past
  const added = await grow(7);
  run.admin.takeText();
  run.tick();
  expect(run.status().added).toBeUndefined();
  await volunteer.send(run, uploadOf(out, deltaOf(2)));
  tiny.clock.ms += ROUND_MS;
  run.tick();
  await until(() => run.status().added !== undefined);
  expect(run.status()).toMatchObject({ version: 2, added: { texts: 1, tokens: 200 } });
  expect(await shardsOf(run)).toEqual(new Set([...corpus.train.map(({ hash }) => hash), added]));
});

it("those who wait for a merge get ranges of the text that comes in behind it: what a position names stays", async () => {
  const { corpus, grow } = await growing();
  const tiny = await tinyRun({ corpus });
  const { run, options } = tiny;
  await advance(volunteer, tiny);
  for (const seed of [1, 2]) await volunteer.contribute(run, deltaOf(seed));
  await grow(7);
  run.admin.takeText();
  tiny.clock.ms += ROUND_MS;
  run.tick();
  const tickets = await Promise.all(crowd.map((one) => one.ticket(run)));
  await until(() => run.status().added?.texts === 1);
  const texts: TextAdded[] = [];
  for await (const { record } of options.store.records(0)) {
    const { event } = decodeRecord(record);
    if (event.type === "text-added") texts.push(event);
  }
  const { ranges } = rulesOf(run.status().run, tinySettings(), corpus, vectorTask().parameters, texts);
  for (const { seed, shard, window } of tickets)
    expect(ranges.at(ranges.positionOf(seed))).toEqual({ shard, window });
  await run.close();
});

it("one after another, at once where nobody trains, and the journal alone says which are in", async () => {
  const { corpus, grow } = await growing();
  const tiny = await tinyRun({ corpus });
  await advance(volunteer, tiny, 2);
  const shards = [await grow(7), await grow(11)];
  tiny.run.admin.takeText();
  await until(() => {
    tiny.run.tick();
    return tiny.run.status().added?.texts === 2;
  });
  await advance(volunteer, tiny, 2);
  const again = await tinyRun({ files: tiny.files.restart("kill"), clock: tiny.clock, corpus });
  expect(again.run.status()).toMatchObject({ version: 4, added: { texts: 2, tokens: 400 } });
  expect([...(await shardsOf(again.run))]).toEqual(expect.arrayContaining(shards));
  await again.run.close();
  const store = await readOnlyStore(again.files);
  expect(await verify(store, corpus, vectorTask)).toMatchObject({ version: 4, from: 0 });
  // Control: the same journal beside another corpus, or one that lacks the text.
  await expect(verify(store, await tinyCorpus(), vectorTask)).rejects.toThrow(/text 1 that was added/);
});

it("an edge, which gives no work out, opens the run without the text; control: a server that leads does not", async () => {
  const { corpus, grow } = await growing();
  const tiny = await tinyRun({ corpus });
  await grow(7);
  tiny.run.admin.takeText();
  await until(() => tiny.run.status().added?.texts === 1);
  await tiny.run.close();
  const options = { ...tiny.options, store: await readOnlyStore(tiny.files), corpus: await tinyCorpus() };
  expect((await openFollowedRun(options)).status().added?.texts).toBe(1);
  await expect(tinyRun({ files: tiny.files.restart("kill"), corpus: await tinyCorpus() })).rejects.toThrow(
    /text 1 that was added/,
  );
});

it("a journal that cannot be written loses no text: it comes in when it can be again", async () => {
  const { corpus, grow } = await growing();
  const tiny = await tinyRun({ corpus });
  await grow(7);
  tiny.files.capacity = 0;
  tiny.run.admin.takeText();
  await new Promise((resolve) => setImmediate(resolve));
  expect(tiny.run.status().added).toBeUndefined();
  tiny.files.capacity = Number.POSITIVE_INFINITY;
  await until(() => {
    tiny.clock.ms += 100;
    tiny.run.tick();
    return tiny.run.status().added?.texts === 1;
  });
});

it("A25: once text was added, versions are compared on all of the text, the new and the old", async () => {
  const { corpus, grow } = await growing();
  const shards = new Set<string>();
  const change = { before: 3, after: 2 };
  const auditor: Auditor = {
    async audit({ shard, ticket }) {
      if (ticket.rates.length === 0) shards.add(shard.join()); // no delta's own look
      return { assigned: change, gate: change };
    },
    direct: async () => new Float32Array(10),
    effects: async ({ frames }) => frames.map(() => [0]),
  };
  let [draws, loss] = [0, 3];
  const counted = countingRandom();
  const tiny = await tinyRun({
    corpus,
    auditor,
    settings: tinySettings({ snapshotEvery: 2, keepSnapshots: 2, trust: { tripwire: 0.3 } }),
    evaluator: { evaluate: async () => ({ loss, sample: "" }) },
    random: (bytes) => (bytes === 4 ? bytesOf(Uint32Array.of(draws++ * 7)) : counted(bytes)),
  });
  // More tickets than the whole text has ranges: none of the first positions is the new text's.
  await advance(volunteer, tiny, 12);
  const added = await grow(7);
  tiny.run.admin.takeText();
  await until(() => {
    tiny.run.tick();
    return tiny.run.status().added !== undefined;
  });
  loss = 5;
  // Each version is compared anew, on ranges that are drawn again: in time they are of all three texts.
  for (let more = 0; shards.size < 3 && more < 40; more++) await advance(volunteer, tiny, 1);
  const texts = await Promise.all(
    [added, ...corpus.train.map(({ hash }) => hash)].map(async (hash) =>
      new Uint16Array((await corpus.shard(hash)).slice().buffer).join(),
    ),
  );
  expect([...shards].map((text) => texts.indexOf(text)).sort()).toEqual([0, 1, 2]);
  await tiny.run.close();
});
