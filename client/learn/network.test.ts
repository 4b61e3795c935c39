import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { type Backend, openBackend } from "../../model/reference/backend.ts";
import { type Digits, packDigits, SIDE, sliceDigits, unpackDigits } from "./digits.ts";
import { readDigits } from "./digits-asset.ts";
import { lossAndGradient, Network, type Parameters } from "./network.ts";
import { BATCH, FILTERS, MAP, POOLED, WINDOW } from "./shape.ts";

let digits: Digits;
let backend: Backend;

beforeAll(async () => {
  [digits, backend] = await Promise.all([readDigits(1_300), openBackend("wasm")]);
});
afterAll(() => backend.release());

describe("packed digits", () => {
  it("come back within half a grey, with their labels", () => {
    const back = unpackDigits(packDigits(digits));
    expect(back.count).toBe(digits.count);
    expect(back.labels).toEqual(digits.labels);
    const worst = back.pixels.reduce(
      (most, pixel, i) => Math.max(most, Math.abs(pixel - digits.pixels[i]!)),
      0,
    );
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(1 / 30 + 1e-6);
  });

  it("are refused when cut, mislabelled or no shade of grey", () => {
    const packed = packDigits(sliceDigits(digits, 0, 2));
    expect(() => unpackDigits(packed.subarray(1))).toThrow(RangeError);
    expect(() => unpackDigits(new Uint8Array())).toThrow(RangeError);
    expect(() => unpackDigits(packed.with(0, 10))).toThrow("label 10");
    const one = sliceDigits(digits, 0, 1);
    expect(() => packDigits({ ...one, pixels: one.pixels.with(3, 1.5) })).toThrow("pixel of 1.5");
    expect(() => packDigits({ ...one, labels: new Uint8Array([11]) })).toThrow("label 11");
  });

  it("hold every kind about as often", () => {
    const counts = Array.from(
      { length: 10 },
      (_, label) => digits.labels.filter((one) => one === label).length,
    );
    expect(Math.min(...counts)).toBeGreaterThan(90);
  });
});

describe("the small network", () => {
  it("slides its filters as a plain loop does", async () => {
    const network = new Network(backend, 3);
    const one = sliceDigits(digits, 5, 6);
    const [filters, { maps, probabilities }] = [await network.filters(), await network.look(one)];
    expect(maps.length).toBe(FILTERS * MAP ** 2);
    for (let filter = 0; filter < FILTERS; filter++) {
      for (let row = 0; row < MAP; row++) {
        for (let column = 0; column < MAP; column++) {
          let sum = 0;
          for (let y = 0; y < WINDOW; y++) {
            for (let x = 0; x < WINDOW; x++) {
              sum +=
                filters[(filter * WINDOW + y) * WINDOW + x]! * one.pixels[(row + y) * SIDE + column + x]!;
            }
          }
          expect(maps[(filter * MAP + row) * MAP + column]).toBeCloseTo(Math.max(0, sum), 4);
        }
      }
    }
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    network.dispose();
  });

  it("derives its gradient as small differences of the loss do", async () => {
    const tf = await import("@tensorflow/tfjs-core");
    const random = new Random(4);
    const draw = (count: number, reach: number) =>
      Float32Array.from({ length: count }, () => (2 * random.unit() - 1) * reach);
    const rows = draw(3 * POOLED ** 2 * 4 * WINDOW ** 2, 1);
    const labels = Uint8Array.of(3, 0, 9);
    const values = {
      filters: draw(WINDOW ** 2 * FILTERS, 0.3),
      lifts: draw(FILTERS, 0.1),
      weights: draw(POOLED ** 2 * FILTERS * 10, 0.03),
      biases: draw(10, 0.1),
    };
    const at = (changed: typeof values) =>
      backend.run(() =>
        tf.tidy(() => {
          const parameters: Parameters = {
            filters: tf.tensor2d(changed.filters, [WINDOW ** 2, FILTERS]),
            lifts: tf.tensor1d(changed.lifts),
            weights: tf.tensor2d(changed.weights, [POOLED ** 2 * FILTERS, 10]),
            biases: tf.tensor1d(changed.biases),
          };
          const found = lossAndGradient(
            parameters,
            tf.tensor2d(rows, [rows.length / WINDOW ** 2, WINDOW ** 2]),
            labels,
          );
          return { loss: found.loss.dataSync()[0]!, gradient: found.gradient[name].dataSync().slice() };
        }),
      );
    let name: keyof Parameters = "filters";
    for (name of ["filters", "lifts", "weights", "biases"] as const) {
      const { gradient } = at(values);
      // Where it is steepest; f32 tells small differences of the loss from noise only there.
      const steepest = [...gradient.keys()]
        .sort((a, b) => Math.abs(gradient[b]!) - Math.abs(gradient[a]!))
        .slice(0, 6);
      for (const i of steepest) {
        const shifted = (by: number) =>
          at({ ...values, [name]: values[name].with(i, values[name][i]! + by) }).loss;
        const slope = (shifted(0.001) - shifted(-0.001)) / 0.002;
        expect(Math.abs(slope / gradient[i]! - 1), `${name} ${i}: ${slope} and ${gradient[i]}`).toBeLessThan(
          0.05,
        );
      }
    }
  });

  it("learns to read digits that it has not seen, and keeps no memory", async () => {
    const { memory } = await import("@tensorflow/tfjs-core");
    const before = memory().numTensors;
    const network = new Network(backend, 3);
    const held = sliceDigits(digits, 1_000, 1_300);
    const atFirst = await rightOf(network, held);
    await network.step(sliceDigits(digits, 0, BATCH));
    const inUse = memory().numTensors;
    let loss = Number.NaN;
    for (let step = 1; step < 60; step++) {
      const from = (step * BATCH) % (1_000 - BATCH);
      loss = await network.step(sliceDigits(digits, from, from + BATCH));
    }
    expect(atFirst).toBeLessThan(0.3);
    expect(await rightOf(network, held)).toBeGreaterThan(0.7);
    expect(loss).toBeLessThan(1);
    expect(memory().numTensors).toBe(inUse);
    network.dispose();
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});

async function rightOf(network: Network, held: Digits): Promise<number> {
  const table = await network.guess(held);
  let right = 0;
  for (let at = 0; at < held.count; at++) {
    const row = table.subarray(at * 10, at * 10 + 10);
    if (row.indexOf(Math.max(...row)) === held.labels[at]) right++;
  }
  return right / held.count;
}
