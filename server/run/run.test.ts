import { describe, expect, test } from "vitest";
import { bytesOf, utf8 } from "../../protocol/bytes.ts";
import { parseEvent, type RunEvent } from "../../protocol/events.ts";
import { addFrame } from "../../protocol/frame.ts";
import { parseJson } from "../../protocol/guards.ts";
import { sha256 } from "../../protocol/identity.ts";
import { MAX_LOSS } from "../../protocol/limits.ts";
import { verifyTicket } from "../../protocol/ticket.ts";
import { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import {
  advance,
  deltaOf,
  ManualClock,
  nonceOf,
  ROUND_MS,
  restart,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import type { Evaluation } from "../evaluate/ports.ts";
import { fileStore } from "../store/file-store.ts";
import { StoreError } from "../store/store.ts";
import { DEFAULT_SETTINGS, SettingsError } from "./settings.ts";

const volunteer = await TestVolunteer.create();

describe("learning", () => {
  test("who asks right after the receipt that fills a version gets the next one", async () => {
    const { run } = await tinyRun();
    let ticket = await volunteer.ticket(run);
    for (let version = 0; version < 3; version++) {
      await volunteer.send(run, uploadOf(ticket, deltaOf(version)));
      await volunteer.contribute(run, deltaOf(version + 0.5));
      ticket = await volunteer.ticket(run);
      expect(ticket.version).toBe(version + 1);
    }
    await run.close();
  });

  test("ten numbers pass through rounds, merge and store, and every replica follows to the byte", async () => {
    const tiny = await tinyRun();
    const { run } = tiny;
    const replica = new Float32Array(run.latestSnapshot().bytes.slice().buffer);
    for (let version = 0; version < 7; version++) {
      const ticket = await volunteer.ticket(run);
      expect(ticket.version).toBe(version);
      expect(await sha256(bytesOf(replica))).toBe(ticket.hash);
      expect(await verifyTicket(run.manifest().server, ticket)).toBe(true);
      await advance(volunteer, tiny);
      addFrame(await run.diff(version), replica, 1);
    }
    expect(await sha256(bytesOf(replica))).toBe(run.latestSnapshot().hash);
    expect(run.credit(volunteer.identity.key)).toEqual({
      tokens: 14 * 32,
      recent: 14 * 32,
      merged: 14,
      pending: 0,
      refused: 0,
    });
    expect(run.status()).toMatchObject({
      version: 7,
      tokensMerged: 14 * 32,
      deltas: { merged: 14, refused: {} },
    });
    await run.close();
  });

  test("a lone volunteer moves the run by the deadline", async () => {
    const { run, clock } = await tinyRun();
    await volunteer.contribute(run);
    clock.ms += 4 * ROUND_MS - 1;
    run.tick();
    expect(run.status().version).toBe(0);
    clock.ms += 1;
    run.tick();
    await until(() => run.status().version === 1);
    await run.close();
  });

  test("the run ends at its token budget and says so", async () => {
    const tiny = await tinyRun({ settings: tinySettings({ tokenBudget: 100 }) });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    const late = uploadOf(await volunteer.ticket(tiny.run), deltaOf(99));
    await advance(volunteer, tiny, 2);
    await until(() => tiny.run.manifest().state === "finished");
    expect(events.at(-1)).toEqual({ type: "state", state: "finished" });
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-finished" });
    await expect(volunteer.send(tiny.run, late)).rejects.toMatchObject({ code: "run-finished" });
    const again = await restart(tiny);
    expect(again.run.manifest().state).toBe("finished");
    expect(again.run.status().tokensMerged).toBe(128);
    await again.run.close();
  });

  test("a paused run keeps what is sent, merges none of it, and goes on where it was, also after a restart", async () => {
    const tiny = await tinyRun();
    const uploads = await Promise.all(
      [1, 2].map(async (n) => uploadOf(await volunteer.ticket(tiny.run), deltaOf(n))),
    );
    await tiny.run.admin.pause();
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-paused" });
    for (const upload of uploads) await volunteer.send(tiny.run, upload);
    const again = await restart(tiny);
    expect(again.run.manifest()).toMatchObject({ state: "paused", version: 0 });
    expect(again.run.credit(volunteer.identity.key).pending).toBe(2);
    await again.run.admin.resume();
    await until(() => again.run.status().version === 1);
    await again.run.close();
  });
});

describe("a run's beginning", () => {
  test("two runs from the same settings are two runs with one first model", async () => {
    const [a, b] = [await tinyRun(), await tinyRun()];
    expect(a.run.manifest().hash).toBe(b.run.manifest().hash);
    expect(a.run.manifest().run).not.toBe(b.run.manifest().run);
    await Promise.all([a.run.close(), b.run.close()]);
  });

  test("other settings than the run began with are an error that names them; the same are fine", async () => {
    const { run, files } = await tinyRun();
    await run.close();
    await expect(tinyRun({ files, settings: tinySettings({ quorum: 9, name: "x" }) })).rejects.toThrow(
      new SettingsError("the run in this directory began with other settings: name, quorum"),
    );
    const again = await tinyRun({ files });
    expect(again.run.manifest().run).toBe(run.manifest().run);
    await again.run.close();
  });

  test("a run with a name that is refused today opens with the file that began it; the control: that begins none", async () => {
    const settings = tinySettings({ name: "zero\u200bwidth" });
    await expect(tinyRun({ settings })).rejects.toThrow(/"name": has characters that cannot be shown/);
    const files = new MemoryFiles();
    const before = await fileStore(files, memoryIndex(), { salt: () => 7 });
    await before.put("run", "run.json", utf8(JSON.stringify(settings)));
    await before.close();
    for (const start of ["its first", "the next"]) {
      const { run } = await tinyRun({ files, settings });
      expect(run.manifest().name, start).toBe(settings.name);
      await run.close();
    }
  });

  test("another corpus, another key, or a journal gone from under its snapshots are refused", async () => {
    const tiny = await tinyRun();
    await advance(volunteer, tiny, 3);
    await tiny.run.close();
    await expect(tinyRun({ files: tiny.files, corpus: await tinyCorpus(3) })).rejects.toThrow(/corpus/);
    const unkeyed = tiny.files.restart("kill");
    await unkeyed.remove("server.key");
    await expect(tinyRun({ files: unkeyed })).rejects.toThrow(/server\.key/);
    const unjournaled = tiny.files.restart("kill");
    await unjournaled.remove("journal/00000000.log");
    await expect(tinyRun({ files: unjournaled })).rejects.toThrow(StoreError);
  });

  test("settings that do not fit the corpus are refused, and nothing is begun", async () => {
    const corpus = await tinyCorpus(2, 8);
    const files = new MemoryFiles();
    await expect(tinyRun({ files, corpus })).rejects.toThrow(SettingsError);
    expect([await files.read("run.json"), await files.list("snapshots")]).toEqual([undefined, []]);
    const model = { layers: 1, heads: 1, width: 8, context: 7 };
    const { run } = await tinyRun({ files, corpus, settings: tinySettings({ model }) });
    await volunteer.contribute(run);
    await run.close();
  });

  test("the default run needs no settings", async () => {
    const { options, run, files } = await tinyRun({ settings: DEFAULT_SETTINGS });
    expect(options.settings).toBe(DEFAULT_SETTINGS);
    await run.close();
    expect(JSON.parse(new TextDecoder().decode(await files.read("run.json")))).toEqual(DEFAULT_SETTINGS);
  });
});

describe("evaluation", () => {
  test("the newest version is measured first, versions are published meanwhile, and the curve is durable", async () => {
    const asked: number[] = [];
    const answers: ((evaluation: Evaluation) => void)[] = [];
    const evaluator = {
      evaluate(version: number) {
        asked.push(version);
        return new Promise<Evaluation>((resolve) => answers.push(resolve));
      },
    };
    const tiny = await tinyRun({ evaluator });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    await advance(volunteer, tiny, 3);
    expect(asked).toEqual([0]);
    answers[0]?.({ loss: 5.5, sample: "noise" });
    await until(() => asked.length === 2);
    expect(asked).toEqual([0, 3]);
    answers[1]?.({ loss: 4.5, sample: "words", written: ["on", "and on"], right: 7 });
    const curve = [
      { version: 0, tokens: 0, loss: 5.5 },
      { version: 3, tokens: 192, loss: 4.5, right: 7 },
    ];
    await until(() => tiny.run.status().heldOut.length === 2);
    expect(tiny.run.status()).toMatchObject({ heldOut: curve, sample: { version: 3, text: "words" } });
    const wrote = { version: 3, text: "words", written: ["on", "and on"] };
    expect(tiny.run.status().samples.at(-1)).toEqual(wrote);
    expect(events.filter(({ type }) => type === "evaluation")).toHaveLength(2);
    const again = await restart(tiny, "drop");
    expect(again.run.status()).toMatchObject({ heldOut: curve, sample: wrote });
    await again.run.close();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1])(
    "a loss of %d is reported and not kept, and the run opens again",
    async (loss) => {
      const warnings: object[] = [];
      const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
      const evaluator = {
        evaluate: async (version: number) => ({ loss: version === 0 ? loss : 3, sample: "" }),
      };
      const tiny = await tinyRun({ evaluator, log });
      await until(() => warnings.length === 1);
      expect(tiny.options.store.length).toBe(1); // created
      await advance(volunteer, tiny);
      await until(() => tiny.run.status().heldOut.length === 1);
      const again = await restart(tiny, "drop");
      expect(again.run.status().heldOut).toEqual([{ version: 1, tokens: 64, loss: 3 }]);
      await again.run.close();
    },
  );

  test("a loss beyond all bounds is reported as the highest that readers accept", async () => {
    let heard = () => {};
    const listening = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const evaluator = { evaluate: () => listening.then(() => ({ loss: 1e30, sample: "" })) };
    const tiny = await tinyRun({ evaluator });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    heard();
    await until(() => events.length === 1);
    expect(tiny.run.status().heldOut).toEqual([{ version: 0, tokens: 0, loss: MAX_LOSS }]);
    expect(parseEvent(parseJson(utf8(JSON.stringify(events[0]))))).toEqual(events[0]);
    await tiny.run.close();
  });

  test("an evaluator that fails stops nothing, and the next version is measured", async () => {
    const evaluator = {
      async evaluate(version: number) {
        if (version === 0) throw new Error("the worker died");
        return { loss: version, sample: "" };
      },
    };
    const tiny = await tinyRun({ evaluator });
    await advance(volunteer, tiny, 2);
    await until(() => tiny.run.status().heldOut.some(({ version }) => version === 2));
    await tiny.run.close();
  });
});

test("A20: the run clock knows neither downtime nor the wall: it goes on from the journal", async () => {
  const tiny = await tinyRun();
  tiny.clock.ms += 5_000;
  await volunteer.contribute(tiny.run);
  const far = new ManualClock();
  far.ms = 1e12; // another process's monotonic clock has another origin
  const again = await tinyRun({ files: tiny.files.restart("drop"), clock: far });
  expect((await volunteer.ticket(again.run)).issued).toBe(5_000);
  await again.run.close();
});

test("a subscriber that throws does not disturb the others, and one that left hears nothing", async () => {
  const tiny = await tinyRun();
  const heard: string[] = [];
  const leave = tiny.run.subscribe(() => heard.push("left"));
  tiny.run.subscribe(() => {
    throw new Error("bad listener");
  });
  tiny.run.subscribe(({ type }) => heard.push(type));
  leave();
  await advance(volunteer, tiny);
  expect(heard).toEqual(["version"]);
  await tiny.run.close();
});

test("after close nothing is accepted", async () => {
  const { run, files } = await tinyRun({ files: new MemoryFiles() });
  const upload = uploadOf(await volunteer.ticket(run));
  await run.close();
  await expect(volunteer.send(run, upload)).rejects.toMatchObject({ code: "not-durable" });
  await expect(run.accept(volunteer.identity.key, nonceOf(5), upload)).rejects.toMatchObject({
    code: "bad-ticket",
  });
  expect((await tinyRun({ files })).run.status().version).toBe(0);
});
