import { describe, expect, test } from "vitest";
import { refuse, ToyServer } from "../../test/harness/toy-run.ts";
import { TARGET, ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { type Cache, memoryCache } from "../cache/cache.ts";
import { KEYS, readMoments, readResidual } from "../cache/entries.ts";
import { lastingCache } from "../cache/lasting.ts";
import { readPending } from "../cache/pending.ts";
import { ServerAway } from "../transport/away.ts";

const COUNT = TARGET.length;

test("C9: deltas are packed where the manifest takes that; the control: nowhere else", async () => {
  const codecs: (number | undefined)[] = [];
  for (const packed of [true, false]) {
    const server = await ToyServer.open();
    server.packed = packed;
    await visit(server).until("sent", 2);
    codecs.push(...server.uploads.map(({ frame }) => frame[5]));
  }
  expect(codecs).toEqual([8, 8, 1, 1]);
});

test("C9: a page closed while sending a packed delta knows its receipt on its next visit", async () => {
  const server = await ToyServer.open();
  server.packed = true;
  const cache = memoryCache();
  const closed = visit(server, cache);
  server.after = (route) => {
    if (route !== "upload") return;
    closed.control.stop();
    closed.control.signal.throwIfAborted();
  };
  await closed.run();
  expect((await readPending(cache))!.frame[5]).toBe(8);
  server.after = () => undefined;
  const back = visit(server, cache);
  await back.until("sent", 1);
  expect(server.uploads).toHaveLength(1);
  expect(await readPending(cache)).toBeUndefined();
});

describe("what goes wrong", () => {
  test("A17: a server that comes and goes fifty times: every wait is real, and nothing is sent twice or lost", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    let flaps = 0;
    const flap = () => {
      if (flaps < 50 && flaps++ % 5 !== 4) throw new ServerAway("flap");
    };
    server.before = flap;
    server.after = flap;
    await here.until("sent", 5);
    expect(flaps).toBe(50);
    expect(here.phases()).toContain("away");
    expect(server.receipts.size).toBe(server.uploads.length);
    const waits = here.sleeps.filter((ms) => ms > 0);
    expect(waits.length).toBeGreaterThanOrEqual(40);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
  });

  test("an answer lost on its way is asked for again with the same bytes (rule D3)", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    let lost = 0;
    server.after = (route) => {
      if (route === "upload" && lost++ < 3) throw new ServerAway("lost on its way");
    };
    await here.until("sent", 1);
    expect(server.asked.filter((route) => route === "upload")).toHaveLength(4);
    expect(server.uploads).toHaveLength(1);
    expect(here.count("sent")).toBe(1);
  });

  test("a server away until the lease ends costs the delta, and no residual that it may have got", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    const here = visit(server, cache);
    let away = true;
    server.before = (route) => {
      if (route === "upload" && away) throw new ServerAway("gone");
    };
    here.watch((report) => {
      if (report.type === "phase" && report.phase.phase === "waiting") {
        away = false;
        here.control.stop();
      }
    });
    await here.run();
    expect(server.uploads).toHaveLength(1);
    expect(await readPending(cache)).toBeUndefined();
    expect((await readResidual(cache, COUNT))!.values).toEqual(new Float32Array(COUNT));
    expect((await readMoments(cache, COUNT))!.step).toBe(6);
  });

  test("A17: a page closed while sending sends the same upload on its next visit, and its residual only once", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    const closed = visit(server, cache);
    server.after = (route) => {
      if (route !== "upload") return;
      closed.control.stop();
      closed.control.signal.throwIfAborted();
    };
    await closed.run();
    expect(await readPending(cache)).toBeDefined();
    expect(closed.count("sent")).toBe(0);
    const left = await readResidual(cache, COUNT);
    expect(left!.after).toBe(server.uploads[1]!.ticket.id);
    server.after = () => undefined;
    server.before = (route) => {
      if (route === "ticket") refuse("run-finished");
    };
    const back = visit(server, cache);
    expect(await back.run()).toBe("finished");
    expect(back.count("sent")).toBe(1);
    expect(server.uploads).toHaveLength(2);
    expect(await readPending(cache)).toBeUndefined();
    expect(await readResidual(cache, COUNT)).toEqual(left);
    expect((await readMoments(cache, COUNT))!.step).toBe(6);
  });

  test("A17, the control: a page that kept nothing of it has trained for nothing that it knows of", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    const closed = visit(server, cache);
    server.before = (route) => {
      if (route !== "upload") return;
      closed.control.stop();
      closed.control.signal.throwIfAborted();
    };
    await closed.run();
    await cache.write({ [KEYS.pending]: undefined });
    server.before = (route) => {
      if (route === "ticket") refuse("run-finished");
    };
    const back = visit(server, cache);
    expect(await back.run()).toBe("finished");
    expect(back.count("sent")).toBe(0);
    expect(server.uploads).toHaveLength(0);
  });

  test("A17: a page that is gone while sending, without a word: what was saved before is not sent twice", async () => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    expect(await readResidual(cache, COUNT)).toBeDefined();
    // What the disk holds in the middle of the upload is all that a killed tab leaves.
    const killed = visit(server, cache);
    const disk = memoryCache();
    server.before = async (route) => {
      if (route !== "upload") return;
      for (const key of Object.values(KEYS)) {
        if (typeof key === "string" && key !== KEYS.identity)
          await disk.write({ [key]: await cache.get(key) });
      }
      await disk.write({ [KEYS.identity]: await cache.get(KEYS.identity) });
      server.before = () => undefined;
    };
    await killed.until("sent", 1);
    expect(await readPending(disk)).toBeDefined();
    expect(await readResidual(disk, COUNT)).toBeUndefined();
    // A disk that lost only the deletion (two files, one crash) is seen through.
    const stale = {
      version: 0,
      after: server.uploads[0]!.ticket.id,
      values: new Float32Array(COUNT).fill(7),
    };
    await disk.write({ [KEYS.residual]: stale });
    server.before = (route) => {
      if (route === "ticket") refuse("run-finished");
    };
    const back = visit(server, disk);
    await back.run();
    expect(back.count("sent")).toBe(1);
    expect(server.uploads).toHaveLength(2);
    expect(await readResidual(disk, COUNT)).toBeUndefined();
    expect((await readMoments(disk, COUNT))!.step).toBe(3);
  });

  test("training that ends in NaN is refused at home", async () => {
    const server = await ToyServer.open();
    server.terms = { rates: [Number.MAX_VALUE, 1, 1] };
    const here = visit(server);
    await here.until("refused", 1);
    expect(server.asked).not.toContain("upload");
    expect(here.reports).toContainEqual(expect.objectContaining({ type: "refused", code: "not-finite" }));
  });

  test("a receipt that is not this server's, or for another delta, is none (rule R1)", async () => {
    const server = await ToyServer.open();
    const other = await ToyServer.open();
    const here = visit(server);
    const { upload } = server;
    let answers = 0;
    server.upload = async (identity, id, body) => {
      const receipt = await upload(identity, id, body);
      answers++;
      if (answers === 1) return { ...receipt, tokens: receipt.tokens + 1 };
      if (answers === 2) return { ...receipt, delta: other.versions[0]!.hash };
      if (answers === 3) return other.sign(receipt);
      if (answers === 4) return server.sign({ ...receipt, delta: other.versions[0]!.hash });
      return receipt;
    };
    await here.until("sent", 1);
    expect(answers).toBe(5);
    expect(here.phases().filter((phase) => phase === "away")).toHaveLength(4);
  });

  test("a ticket that another server signed, or for another volunteer, is not worked on", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    const { ticket } = server;
    let tries = 0;
    server.ticket = async (identity, throughput) => {
      const ours = await ticket(identity, throughput);
      if (++tries === 3) here.control.stop();
      return { ...ours, steps: 1, rates: [0.1] };
    };
    expect(await here.run()).toBe("stopped");
    expect(tries).toBe(3);
    expect(trainer.steps).toBe(0);
  });

  test("a paused run, a run without work: said, waited out, gone on", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    const refusals = ["run-paused", "no-work", "too-many-requests"] as const;
    let at = 0;
    server.before = (route) => {
      const code = refusals[at];
      if (route === "ticket" && code !== undefined) {
        at++;
        refuse(code);
      }
    };
    await here.until("sent", 1);
    const shown = here.reports.flatMap((one) => (one.type === "phase" ? [one.phase] : []));
    expect(shown).toContainEqual({ phase: "paused", why: "operator" });
    expect(here.phases()).toContain("waiting");
  });

  test("another protocol version ends it with the reason that reloads the page (rule V1)", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    server.before = () => refuse("protocol-mismatch");
    expect(await here.run()).toBe("unable");
    expect(here.reports.at(-1)).toMatchObject({ phase: { phase: "unable", why: "protocol" } });
  });

  test("A19: a full disk costs nothing but the next visit", async () => {
    const server = await ToyServer.open();
    const full: Cache = { get: async () => undefined, write: () => Promise.reject(new Error("full")) };
    const said: string[] = [];
    const here = visit(
      server,
      lastingCache(full, (why) => said.push(why)),
    );
    await here.until("sent", 5);
    expect(said).toEqual(["full"]);
    expect(server.uploads).toHaveLength(5);
  });
});
