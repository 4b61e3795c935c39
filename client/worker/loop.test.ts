import { describe, expect, test } from "vitest";
import { ModelError } from "../../model/contract/config.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import { expectClose, plus } from "../../test/harness/float-vectors.ts";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { distance, TARGET, ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";
import { readMoments, readReplica, readResidual } from "../cache/entries.ts";
import { NoDevice, type Trainers } from "./device/trainers.ts";
import type { Report } from "./messages.ts";

const COUNT = TARGET.length;

describe("a volunteer", () => {
  test("trains ticket after ticket, and the run learns", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    expect(await here.until("sent", 12)).toBe("stopped");
    expect(server.uploads).toHaveLength(12);
    expect(distance(server.weights)).toBeLessThan(0.01 * distance(new Float32Array(COUNT)));
    expect(here.phases().at(-1)).toBe("stopped");
    expect(here.count("run")).toBe(1);
    expect(here.count("credit")).toBeGreaterThan(0);
    expect(trainer.disposed).toBe(true);
    // One snapshot, then nothing but changes; the text once.
    expect(server.asked.filter((route) => route === "snapshot")).toHaveLength(1);
    expect(server.asked.filter((route) => route === "shard")).toHaveLength(1);
  });

  test("tells of the last delta before a rest, soon after it told of the one before", async () => {
    const here = visit(await ToyServer.open());
    here.watch(({ type }) => type === "sent" && here.count("sent") === 2 && here.control.pause("visitor"));
    const tells = (report: Report) => report.type === "credit" && report.credit.tokens === 48;
    here.watch((report) => tells(report) && here.control.stop());
    expect(await here.run()).toBe("stopped");
    expect(here.count("sent")).toBe(2);
    expect(here.phases()).toContain("paused");
  });

  test("goes on telling during a rest while deltas wait, each time after twice as long", async () => {
    const server = await ToyServer.open();
    server.pending.push(1, 1, 1, 0);
    const here = visit(server);
    here.watch(({ type }) => type === "sent" && here.control.pause("visitor"));
    expect(await here.until("credit", 4)).toBe("stopped");
    expect(here.count("sent")).toBe(1);
    expect(here.sleeps.slice(-3)).toEqual([10_000, 20_000, 40_000]);
  });

  test("sends what it trained: the delta plus what compression left out before (rule C4)", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    const [first] = server.uploads;
    const trained = TARGET.map((goal) => -goal * (1 - 0.9 ** 3));
    const sent = decodeFrame(first!.frame, COUNT);
    const left = (await readResidual(cache, COUNT))!.values;
    expectClose(plus(sent, left), trained);
    expect(left.some((value) => value !== 0)).toBe(true);
    expect(first!.report.loss).toBeGreaterThan(0);

    const before = server.weights;
    await visit(server, cache).until("sent", 1);
    const again = before.map((weight, i) => (weight - TARGET[i]!) * (1 - 0.9 ** 3));
    const second = decodeFrame(server.uploads[1]!.frame, COUNT);
    const next = (await readResidual(cache, COUNT))!.values;
    expectClose(plus(second, next), plus(again, left, 0.5));
  });

  test("goes on after a reload with its key, moments and weights", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 2);
    const trainer = new ToyTrainer();
    server.asked.length = 0;
    await visit(server, cache, always(trainer)).until("sent", 1);
    expect(trainer.starts).toEqual([expect.objectContaining({ step: 6 })]);
    expect(new Set(server.uploads.map((upload) => upload.ticket.volunteer)).size).toBe(1);
    expect(server.asked).not.toContain("snapshot");
    expect(server.asked).not.toContain("shard");
  });

  test("a fresh ticket starts from nothing and leaves the moments it had (rule T5)", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 2);
    const before = [await readMoments(cache, COUNT), await readResidual(cache, COUNT)] as const;
    server.terms = { fresh: true };
    const trainer = new ToyTrainer();
    const weights = server.weights;
    await visit(server, cache, always(trainer)).until("sent", 1);
    expect(trainer.starts).toEqual([undefined]);
    expect(await readMoments(cache, COUNT)).toEqual(before[0]);
    const after = (await readResidual(cache, COUNT))!.values;
    const trained = weights.map((weight, i) => (weight - TARGET[i]!) * (1 - 0.9 ** 3));
    const sent = decodeFrame(server.uploads[2]!.frame, COUNT);
    expectClose(after, plus(plus(trained, sent, -1), before[1]!.values, 0.5));
  });

  test("ends with the run", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    here.watch((report) => {
      if (report.type === "sent") server.state = "finished";
    });
    expect(await here.run()).toBe("finished");
    expect(here.phases().at(-1)).toBe("finished");
    expect(await visit(server).run()).toBe("finished");
  });

  test("joins the run that has taken the server's place", async () => {
    const server = await ToyServer.open();
    const other = await ToyServer.open("another");
    const here = visit(server);
    here.watch((report) => {
      if (report.type === "sent") Object.assign(server, { manifest: other.manifest, ticket: other.ticket });
      if (here.count("run") === 2) here.control.stop();
    });
    expect(await here.run()).toBe("stopped");
    expect(here.count("run")).toBe(2);
    expect(here.phases()).not.toContain("away");
  });
});

describe("the visitor's hand", () => {
  test("stop ends within one step, sends nothing and keeps the state as it was", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    const trainer = new ToyTrainer();
    const here = visit(server, cache, always(trainer));
    trainer.onStep = (step) => {
      if (step === 2) here.control.stop();
    };
    expect(await here.run()).toBe("stopped");
    expect(trainer.steps).toBe(2);
    expect(server.uploads).toHaveLength(0);
    expect(await readMoments(cache, COUNT)).toBeUndefined();
    expect(await readResidual(cache, COUNT)).toBeUndefined();
    expect((await readReplica(cache, COUNT))?.version).toBe(0);
  });

  test("pause takes effect within one step, and the ticket goes on where it was", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    const paused = Promise.withResolvers<void>();
    trainer.onStep = (step) => {
      if (step !== 2) return;
      here.control.pause("visitor");
      paused.resolve();
    };
    const ended = here.until("sent", 1);
    await paused.promise;
    await new Promise(setImmediate);
    expect(trainer.steps).toBe(2);
    expect(here.phases().at(-1)).toBe("paused");
    here.control.resume();
    await ended;
    expect(trainer.steps).toBe(3);
    expect(server.uploads).toHaveLength(1);
  });

  test("a pause longer than the lease drops the ticket and takes another (rule T4)", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    trainer.onStep = (step) => {
      if (step === 2) here.pass(60_000);
    };
    await here.until("sent", 1);
    expect(trainer.steps).toBe(5);
    expect(server.asked.filter((route) => route === "ticket")).toHaveLength(2);
    expect(server.uploads).toHaveLength(1);
  });

  test("the throttle rests after each step so that training takes its share", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    here.control.share = 0.25;
    trainer.onStep = () => here.pass(100);
    await here.until("sent", 1);
    expect(here.sleeps.slice(0, 3)).toEqual([300, 300, 300]);
  });

  test("a step in pieces takes its rests between them, and the last piece's behind the step", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    here.control.share = 0.25;
    trainer.onStep = async (_, rest) => {
      for (let piece = 0; piece < 3; piece++) {
        if (piece > 0) await rest!(100);
        here.pass(100);
      }
    };
    await here.until("sent", 1);
    expect(here.sleeps.slice(0, 6)).toEqual([300, 300, 300, 300, 300, 300]);
    const { report } = server.uploads[0]!;
    expect(report.trainMs).toBe(300 * trainer.steps);
  });

  test("who gives all of the time is offered no rests: a device would wait for each piece to end", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const offered: unknown[] = [];
    trainer.onStep = (_, rest) => void offered.push(rest);
    await visit(server, memoryCache(), always(trainer)).until("sent", 1);
    expect(new Set(offered)).toEqual(new Set([undefined]));
  });
});

describe("devices", () => {
  test("A18: a device lost in the middle of a ticket sends nothing of it, and the next trainer goes on", async () => {
    const server = await ToyServer.open();
    const failing = new ToyTrainer();
    const sound = new ToyTrainer();
    failing.onStep = (step) => {
      if (step === 2) throw new ModelError("device-lost", "the driver was reset");
    };
    let lost = 0;
    let proved = 0;
    const trainers: Trainers = {
      take: async () => (lost === 0 ? failing : sound),
      lost: () => lost++,
      proved: () => proved++,
      dispose: () => undefined,
    };
    await visit(server, memoryCache(), trainers).until("sent", 1);
    expect(lost).toBe(1);
    expect(proved).toBe(1);
    expect(sound.steps).toBe(3);
    expect(server.uploads).toHaveLength(1);
    expect(server.asked.filter((route) => route === "ticket")).toHaveLength(2);
  });

  test("A18, the control: one that is not lost sends what it trained on its first ticket", async () => {
    const server = await ToyServer.open();
    const sound = new ToyTrainer();
    await visit(server, memoryCache(), always(sound)).until("sent", 1);
    expect(sound.steps).toBe(3);
    expect(server.uploads).toHaveLength(1);
    expect(server.asked.filter((route) => route === "ticket")).toHaveLength(1);
  });

  test("a quarantine is waited out, said as what it is, and gone on from with nothing that led to it", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    let refusals = 0;
    server.before = (route) => {
      if (route !== "ticket" || server.uploads.length !== 2 || refusals === 2) return;
      refusals++;
      throw new ProtocolError("quarantined", "a delta of this volunteer was found bad", 120_000);
    };
    await here.until("sent", 4);
    expect(here.phases()).toContain("quarantined");
    expect(here.phases()).not.toContain("unable");
    expect(here.sleeps.filter((ms) => ms >= 120_000)).toHaveLength(2);
    // The second ticket went on from the first; the third began anew, and the fourth from it.
    expect(trainer.starts.map((start) => start === "kept")).toEqual([false, true, false, true]);
    expect(trainer.starts[2]).toEqual({});
  });

  test("no device at all is said with its reasons", async () => {
    const server = await ToyServer.open();
    const none: Trainers = {
      ...always(new ToyTrainer()),
      take: () => Promise.reject(new NoDevice("wasm: no SIMD")),
    };
    const here = visit(server, memoryCache(), none);
    expect(await here.run()).toBe("unable");
    expect(here.reports.at(-1)).toEqual({
      type: "phase",
      phase: { phase: "unable", why: "no-device", detail: "wasm: no SIMD" },
    });
    expect(server.asked).not.toContain("snapshot");
  });
});
