import { expect, test } from "vitest";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { expectClose, plus } from "../../test/harness/float-vectors.ts";
import { refuse, ToyServer } from "../../test/harness/toy-run.ts";
import { TARGET } from "../../test/harness/toy-trainer.ts";
import { visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";
import { readMoments, readResidual } from "../cache/entries.ts";
import { LATE_PART } from "./local-state-reducer.ts";

const COUNT = TARGET.length;

test.each(["stale", "lease-expired"] as const)(
  "a delta refused as %s: as much of it as a merge would have counted rides on the next",
  async (code) => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    const here = visit(server, cache);
    let refusals = 1;
    server.before = (route) => {
      if (route === "upload" && refusals-- > 0) refuse(code);
    };
    await here.until("refused", 1);
    const trained = TARGET.map((goal) => -goal * (1 - 0.9 ** 3));
    const rounded = decodeFrame(encodeFrame(DENSE4, trained), COUNT);
    const kept = plus(plus(trained, rounded, -1), rounded, LATE_PART);
    expectClose((await readResidual(cache, COUNT))!.values, kept);
    expect(here.reports).toContainEqual({ type: "refused", code, message: `the test says ${code}` });
    await visit(server, cache).until("sent", 1);
    // Once more of the same delta, plus half of what was kept of the one that was not taken.
    const sent = decodeFrame(server.uploads[0]!.frame, COUNT);
    const left = (await readResidual(cache, COUNT))!.values;
    expectClose(plus(sent, left), plus(trained, kept, 0.5));
  },
);

test("a volunteer that is always late does not pile its deltas up", async () => {
  const server = await ToyServer.open();
  const cache = memoryCache();
  server.before = (route) => {
    if (route === "upload") refuse("stale");
  };
  await visit(server, cache).until("refused", 6);
  const trained = TARGET.map((goal) => -goal * (1 - 0.9 ** 3));
  // What is kept of one delta, and what rounding to four bits left of those before: less than half of a step of the scale.
  const step = Math.max(...trained.map(Math.abs)) / 7;
  const { values } = (await readResidual(cache, COUNT))!;
  for (const [i, value] of values.entries())
    expect(Math.abs(value - LATE_PART * trained[i]!)).toBeLessThan(step);
});

test.each(["not-finite", "norm-too-large"] as const)(
  "a delta refused as %s: everything carried is dropped",
  async (code) => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    server.before = (route) => {
      if (route === "upload") refuse(code);
    };
    await visit(server, cache).until("refused", 1);
    expect(await readMoments(cache, COUNT)).toBeUndefined();
    expect(await readResidual(cache, COUNT)).toBeUndefined();
  },
);

test.each(["ticket-used", "wrong-shape", "run-finished"] as const)(
  "a delta refused as %s: it and the residual go, the moments stay",
  async (code) => {
    const server = await ToyServer.open();
    const cache = memoryCache();
    server.before = (route) => {
      if (route === "upload") refuse(code);
    };
    await visit(server, cache).until("refused", 1);
    expect((await readResidual(cache, COUNT))!.values).toEqual(new Float32Array(COUNT));
    expect((await readMoments(cache, COUNT))!.step).toBe(3);
  },
);
