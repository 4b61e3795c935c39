import { describe, expect, it, vi } from "vitest";
import type { RunEvent } from "../../protocol/events.ts";
import type { Hash } from "../../protocol/ids.ts";
import { parseRunStatus } from "../../protocol/status.ts";
import { applyEvent, watchRun } from "./watch.ts";

const hash = (digit: string) => digit.repeat(64) as Hash; // an example needs no real hash

const STATUS = {
  protocol: 2,
  run: "9".repeat(64),
  name: "a run",
  operator: "",
  state: "running",
  version: 3,
  modelHash: hash("3"),
  model: { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 },
  parameters: 285_312,
  heldOut: [{ version: 3, tokens: 300, loss: 5 }],
  bytesPerToken: 2.5,
  questions: { questions: 69, chance: 0.25 },
  card: { purpose: "To read" },
  prompts: ["Call me"],
  baselines: { uniform: 6.24, unigram: 5.24, bigram: 3.98 },
  tokensMerged: 300,
  tokenBudget: 1_000,
  tokensPerSecond: 12.5,
  volunteers: 1,
  deltas: { merged: 3, refused: {} },
  rounds: null,
  versions: [{ version: 3, hash: hash("3"), deltas: 1, tokens: 100, ms: 2_000, diffBytes: 50 }],
  sample: { version: 3, text: "before" },
  samples: [],
};

const VERSION: RunEvent = {
  type: "version",
  version: 4,
  hash: hash("4"),
  diffBytes: 60,
  deltas: 2,
  tokens: 200,
  ms: 900,
};

/** A page's watch on a server that answers `answers`, one each poll; timers are turned by hand. */
async function watching(...answers: (() => Response)[]) {
  const timers: { ms: number; callback: () => void }[] = [];
  const streams: { url: string; onData: (data: unknown) => void; readyState: number; close(): void }[] = [];
  const heard: RunEvent[] = [];
  const watch = watchRun({
    fetch: async () => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? Response.error(),
    events(url, onData) {
      const stream = {
        url,
        onData,
        readyState: 1,
        close() {
          stream.readyState = 2;
        },
      };
      streams.push(stream);
      return stream;
    },
    after(ms, callback) {
      const timer = { ms, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    random: () => 0.5,
    onEvent: (event) => heard.push(event),
  });
  await vi.waitFor(() => expect(watch.connection.value).not.toBe("loading"));
  const turn = async () => {
    const before = timers.length;
    timers.at(-1)?.callback();
    await vi.waitFor(() => expect(timers.length).toBeGreaterThan(before));
  };
  return { watch, timers, streams, heard, turn };
}

const good = () => Response.json(STATUS);
const away = () => {
  throw new TypeError("connection refused");
};
const refusal = (code: string, status: number) => () =>
  Response.json({ error: { code, message: "" } }, { status });

describe("watching a run", () => {
  it("reads the status, then listens, and hears events at once", async () => {
    const { watch, streams, heard } = await watching(good);
    expect(watch.status.value).toEqual(STATUS);
    expect(streams.map(({ url }) => url)).toEqual(["./api/events"]);
    streams[0]?.onData(JSON.stringify(VERSION));
    expect(watch.status.value).toMatchObject({ version: 4, modelHash: hash("4"), tokensMerged: 500 });
    expect(heard).toEqual([VERSION]);
  });

  it("is not moved by what it cannot read", async () => {
    const { watch, streams, heard } = await watching(good);
    for (const data of ["", "{", "[]", '{"type":"later"}', '{"type":"version","version":-1}', 7]) {
      streams[0]?.onData(data);
    }
    expect(watch.status.value).toEqual(STATUS);
    expect(heard).toEqual([]);
  });

  it("waits longer each time while the server is away, keeps what it knew, and comes back", async () => {
    const { watch, timers, turn, streams } = await watching(good, away, away, away, good);
    await turn();
    await turn();
    await turn();
    expect(watch.connection.value).toBe("away");
    expect(watch.status.value).toEqual(STATUS);
    const waits = timers.map(({ ms }) => ms).slice(1);
    expect(waits).toEqual([1_500, 3_000, 6_000]);
    streams[0]?.close();
    await turn();
    expect(watch.connection.value).toBe("live");
    expect(streams).toHaveLength(2);
  });

  it("knows a server without a run, and one that answers with something else", async () => {
    expect((await watching(refusal("no-run", 503))).watch.connection.value).toBe("no-run");
    const { watch } = await watching(() => new Response("<html>", { status: 502 }));
    expect(watch.connection.value).toBe("away");
    expect(watch.why.value).toEqual({ kind: "gateway", status: 502 });
    const login = new Response("<html>", { headers: { "content-type": "text/html" } });
    expect((await watching(() => login)).watch.why.value).toEqual({ kind: "page", status: 200 });
    expect((await watching(away)).watch.why.value).toBeUndefined();
  });

  it("asks no more after a mismatch", async () => {
    const other = () => Response.json({ ...STATUS, protocol: 3 });
    for (const answer of [other, refusal("protocol-mismatch", 426)]) {
      const { watch, timers, streams } = await watching(answer);
      expect(watch.connection.value).toBe("mismatch");
      expect([timers.length, streams.length]).toEqual([0, 0]);
    }
  });

  it("stops when closed", async () => {
    const { watch, timers, streams } = await watching(good);
    watch.close();
    expect(timers).toHaveLength(0);
    expect(streams[0]?.readyState).toBe(2);
  });
});

describe("an event", () => {
  const status = parseRunStatus(STATUS);

  it("of a version is counted once", () => {
    const once = applyEvent(status, VERSION);
    expect(once.deltas.merged).toBe(5);
    expect(once.versions.map(({ version }) => version)).toEqual([4, 3]);
    expect(applyEvent(once, VERSION)).toEqual(once);
  });

  it("of an older evaluation takes its place in the curve, and does not replace a newer sample", () => {
    const late: RunEvent = { type: "evaluation", version: 2, tokens: 200, loss: 5.5, sample: "older" };
    const after = applyEvent(status, late);
    expect(after.heldOut.map(({ version }) => version)).toEqual([2, 3]);
    expect(after.sample?.text).toBe("before");
    expect(applyEvent(after, { ...late, version: 4, sample: "newer" }).sample?.text).toBe("newer");
  });

  it("of a state changes the state alone", () => {
    expect(applyEvent(status, { type: "state", state: "paused" })).toEqual({ ...status, state: "paused" });
  });
});
