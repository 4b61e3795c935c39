import { describe, expect, test } from "vitest";
import { DENSE2, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { Gauge } from "./gauge.ts";

describe("the gauge (A15)", () => {
  const ticket = (id: string) => ({ id: id as TicketId, rates: [0.01, 0.01] });
  const values = (seed: number) =>
    Float32Array.from(
      { length: 4_096 },
      (_, i) => (1 + Math.sin(i / 300) / 2) * Math.sin(seed * 1_000 + i * i),
    );

  test("finds the same delta under another ticket, and no likeness in honest ones", () => {
    const gauge = new Gauge(4_096, DENSE4, [], Math.random);
    const first = encodeFrame(DENSE4, values(1));
    expect(gauge.measure(ticket("a"), first, 1).copies).toBeUndefined();
    expect(gauge.measure(ticket("b"), encodeFrame(DENSE4, values(2)), 1).copies).toBeUndefined();
    expect(gauge.measure(ticket("c"), first, 1).copies).toBe("a");
    const near = decodeFrame(first, 4_096).map((value, i) => (i % 3 === 0 ? 0 : value));
    expect(gauge.measure(ticket("d"), encodeFrame(F32, near), 1).copies).toBe("c");
  });

  test.each([
    ["four bits", DENSE4],
    ["two bits", DENSE2],
    ["whole numbers", F32],
    ["the largest alone", { name: "topk", chunk: 64, k: 16, bits: 4 }],
  ] as const)(
    "A15: finds a copy whatever it is multiplied by, in %s; honest deltas that agree, the control, are none",
    (_, codec) => {
      const [mine, noise] = [values(1), values(2)];
      for (const factor of [1.03, 0.7, 3, -1]) {
        const gauge = new Gauge(4_096, codec, [], Math.random);
        const first = encodeFrame(codec, mine);
        expect(gauge.measure(ticket("a"), first, 1).copies).toBeUndefined();
        const copy = decodeFrame(first, 4_096).map((value) => factor * value);
        expect(gauge.measure(ticket("b"), encodeFrame(codec, copy), 1).copies).toBe("a");
        // Nearer than any two honest ones of real text came: a cosine of .994.
        const near = mine.map((value, i) => factor * (value + 0.11 * noise[i]!));
        const other = new Gauge(4_096, codec, [], Math.random);
        other.measure(ticket("a"), first, 1);
        expect(other.measure(ticket("b"), encodeFrame(codec, near), 1).copies).toBeUndefined();
      }
    },
  );

  test("A21: measures each tensor, also where one is small and the vector large", () => {
    const tensors = [
      { offset: 0, length: 350_000 },
      { offset: 350_000, length: 300 },
      { offset: 350_300, length: 349_700 },
      { offset: 700_000, length: 100 },
    ];
    const vector = Float32Array.from(
      { length: 700_100 },
      (_, i) => Math.sin(i * 1.7) * (i < 350_300 ? 1 : 9),
    );
    const norms = tensors.map(({ offset, length }) =>
      Math.sqrt(vector.subarray(offset, offset + length).reduce((sum, value) => sum + value ** 2, 0)),
    );
    const gauge = new Gauge(vector.length, DENSE4, tensors, () => 0.3);
    const frame = encodeFrame(DENSE4, vector);
    const { size, tensors: found = [] } = gauge.measure({ id: "a" as TicketId, rates: [1] }, frame, 7);
    expect(size).toBe(7);
    found.forEach((each, i) => {
      expect(each / norms[i]!).toBeGreaterThan(0.8);
      expect(each / norms[i]!).toBeLessThan(1.25);
    });
    expect(found).toHaveLength(4);
  });

  test("tells what points against the server's own direction", () => {
    const gauge = new Gauge(4_096, F32, [], Math.random);
    gauge.direct(values(1));
    expect(gauge.measure(ticket("a"), encodeFrame(F32, values(1)), 1).agreement).toBeCloseTo(1, 5);
    const flipped = values(1).map((value) => -value);
    expect(gauge.measure(ticket("b"), encodeFrame(F32, flipped), 1).agreement).toBeCloseTo(-1, 5);
  });
});
