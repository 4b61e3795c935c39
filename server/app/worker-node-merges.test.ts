import { expect, test, vi } from "vitest";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { bytesOf } from "../../protocol/bytes.ts";
import { world } from "../../test/harness/worker-world.ts";
import { WeightedMean } from "../merge/mean.ts";
import { decodeRecord } from "../run/record.ts";
import { readOnlyStore } from "../store/read-only.ts";

test("a matrix is turned by a worker to the same bytes, however long its way; one that no model has is refused", async () => {
  const { helpers, start, answered, jobs, pass, happened } = await world();
  const drawn = Float32Array.from({ length: 300 * 500 }, (_, i) => Math.sin(i * i));
  expect(await answered(helpers.turn(drawn.slice(), 300, 500)), "nobody is there").toBeUndefined();
  const { node } = await start();
  pass(1_000);
  await jobs.settle();
  expect(helpers.merges).toBe(1);
  const own = drawn.slice();
  (await Orthogonalizer.open()).apply(own, 300, 500);
  const turned = await answered(helpers.turn(drawn.slice(), 300, 500));
  expect(turned).toMatchObject({ who: node.who, checked: true }); // its first
  expect(Buffer.compare(bytesOf(turned!.values), bytesOf(own))).toBe(0);
  expect((await answered(helpers.turn(drawn.slice(), 300, 500)))?.checked).toBe(false);
  expect(await answered(helpers.turn(drawn.slice(), 500, 300))).toBeUndefined();
  expect(happened.at(-1)).toMatch(/has no such matrix/);
  expect(
    await answered(helpers.turn(new Float32Array(150_000), 300, 500)),
    "zeros stay zeros",
  ).toBeUndefined();
  // Pieces of another length, and other numbers than a matrix can become.
  jobs.alterAnswer = (answer) => answer.subarray(1);
  expect(await answered(helpers.turn(drawn.slice(), 300, 500))).toBeUndefined();
  jobs.alterAnswer = (answer) => {
    new DataView(answer.buffer, answer.byteOffset).setFloat32(0, Number.NaN, true);
    return answer;
  };
  expect(await answered(helpers.turn(drawn.slice(), 300, 500))).toBeUndefined();
  jobs.alterAnswer = (answer) => answer;
  expect(helpers.merges, "whoever computes wrong").toBe(0);
});

test("a version's mean is made of the journal's frames by workers, in parts, to the same bytes; or not at all", async () => {
  const { helpers, start, answered, jobs, pass, leader } = await world();
  const sequences: number[] = [];
  const frames: Uint8Array<ArrayBuffer>[] = [];
  const store = await readOnlyStore(leader.files);
  for await (const { sequence, record } of store.records()) {
    const { frame } = decodeRecord(record);
    if (frame.length > 0) [sequences.push(sequence), frames.push(frame)];
  }
  const shares = sequences.map((_, i) => (i + 1) / 50);
  const away = { records: sequences, shares, frameBytes: 1_000 };
  expect(await helpers.mean(away, 10), "nobody is there").toBeUndefined();
  await start();
  await start();
  pass(1_000);
  await vi.waitFor(async () => {
    await jobs.settle(2);
    expect(helpers.merges).toBe(2);
  }, 20_000);
  const expected = new WeightedMean(10, shares, 1);
  for (const [i, frame] of frames.entries()) expected.add(frame, shares[i]!);
  const made = await answered(helpers.mean(away, 10));
  const part = { from: 0, values: expected.values, who: expect.any(String) };
  expect(made).toEqual({ parts: [part], checked: true }); // that worker's first
  expect(await helpers.mean({ ...away, frameBytes: 1 }, 10), "not worth the way").toBeUndefined();
  const gone = { ...away, records: [...sequences.slice(1), 10_000] };
  expect(await answered(helpers.mean(gone, 10))).toBeUndefined();
  expect(await answered(helpers.mean(away, 10)), "and for a while none is asked").toBeUndefined();
  pass(6 * 60_000);
  await jobs.settle();
  pass(1_000);
  await jobs.settle();
  expect((await answered(helpers.mean(away, 10)))?.parts).toEqual([part]);
});
