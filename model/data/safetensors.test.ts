import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../contract/layout.ts";
import { decodeSafetensors, encodeSafetensors, headerOf, withinSafetensors } from "./safetensors.ts";

const shape = { layers: 1, heads: 2, width: 4, context: 3, vocabulary: 5 };
const layout = layoutOf(shape);
const someFlat = fc
  .uint8Array({ minLength: layout.length * 4, maxLength: layout.length * 4 })
  .map((bytes) => new Float32Array(bytes.slice().buffer));
const bytesOf = (flat: Float32Array) => new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength);
const badFile = expect.objectContaining({ name: "ModelError", code: "bad-file" });

/** Another's reader, after the format's own words. */
function readAnyhow(file: Uint8Array): Map<string, { shape: number[]; values: Float32Array }> {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const { __metadata__: _, ...tensors } = header;
  return new Map(
    Object.entries(tensors).map(([name, { dtype, shape, data_offsets }]) => {
      expect(dtype).toBe("F32");
      const data = file.slice(8 + length).subarray(...data_offsets);
      return [name, { shape, values: new Float32Array(data.slice().buffer) }];
    }),
  );
}

describe("safetensors", () => {
  it("makes the file around values that lie behind room for its header, and nowhere else", () => {
    const lead = headerOf(layout).length;
    const values = Float32Array.from({ length: layout.length }, (_, i) => i / 7);
    const expected = encodeSafetensors(layout, values);
    const behind = (before: number, after = 0) => {
      const buffer = new ArrayBuffer(before + values.byteLength + after);
      const flat = new Float32Array(buffer, before, values.length);
      flat.set(values);
      return flat;
    };
    const flat = behind(lead);
    const file = encodeSafetensors(layout, flat);
    expect(file.buffer).toBe(flat.buffer);
    expect(file).toEqual(expected);
    for (const other of [behind(0), behind(lead + 8), behind(lead, 8)]) {
      const copied = encodeSafetensors(layout, other);
      expect(copied.buffer).not.toBe(other.buffer);
      expect(copied).toEqual(expected);
      expect([...other]).toEqual([...values]);
    }
  });

  it("takes weights out of a file without a copy, and makes the file of them again; control: at another alignment it copies", () => {
    const values = Float32Array.from({ length: layout.length }, (_, i) => i / 7);
    const file = encodeSafetensors(layout, values);
    const within = withinSafetensors(file, layout);
    expect([within.buffer === file.buffer, [...within]]).toEqual([true, [...values]]);
    expect(encodeSafetensors(layout, within).buffer).toBe(file.buffer);
    const moved = new Uint8Array(file.length + 1);
    moved.set(file, 1);
    const copied = withinSafetensors(moved.subarray(1), layout);
    expect([copied.buffer === moved.buffer, [...copied]]).toEqual([false, [...values]]);
    expect(() => withinSafetensors(file.subarray(0, -1), layout)).toThrow(badFile);
  });

  it("gives back every bit, NaNs and zeros' signs too, at any alignment", () => {
    fc.assert(
      fc.property(someFlat, fc.integer({ min: 0, max: 7 }), (flat, shift) => {
        const file = encodeSafetensors(layout, flat);
        const moved = new Uint8Array(file.length + shift);
        moved.set(file, shift);
        const back = decodeSafetensors(moved.subarray(shift), layout);
        expect(bytesOf(back)).toEqual(bytesOf(flat));
        expect(encodeSafetensors(layout, back)).toEqual(file);
      }),
    );
  });

  it("is a file that any reader of the format reads", () => {
    const flat = Float32Array.from({ length: layout.length }, (_, i) => i);
    const tensors = readAnyhow(encodeSafetensors(layout, flat));
    expect([...tensors.keys()]).toEqual(layout.tensors.map(({ name }) => name));
    for (const { name, shape, offset, length } of layout.tensors)
      expect(tensors.get(name)).toEqual({
        shape: [...shape],
        values: flat.subarray(offset, offset + length),
      });
  });

  it("starts its data at a multiple of 8", () => {
    for (const width of [2, 4, 10, 96]) {
      const header = headerOf(layoutOf({ ...shape, width }));
      expect(header.length % 8).toBe(0);
      expect(header[8]).toBe("{".charCodeAt(0));
    }
  });

  it("does not alias what it was given", () => {
    const file = encodeSafetensors(layout, new Float32Array(layout.length));
    const back = decodeSafetensors(file, layout);
    file.fill(1);
    expect(back.every((value) => value === 0)).toBe(true);
  });

  it("refuses a vector of another model", () => {
    expect(() => encodeSafetensors(layout, new Float32Array(layout.length + 1))).toThrow(
      expect.objectContaining({ code: "bad-weights" }),
    );
  });

  it("refuses every file with another header or length", () => {
    const file = encodeSafetensors(layout, new Float32Array(layout.length));
    const header = headerOf(layout);
    fc.assert(
      fc.property(fc.nat(header.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = file.slice();
        changed[at]! ^= change;
        expect(() => decodeSafetensors(changed, layout)).toThrow(badFile);
      }),
    );
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(() => decodeSafetensors(file.subarray(0, length), layout)).toThrow(badFile);
      }),
    );
    const longer = new Uint8Array(file.length + 1);
    longer.set(file);
    expect(() => decodeSafetensors(longer, layout)).toThrow(badFile);
    const renamed = layout.tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("wte", "etw") }));
    expect(() => decodeSafetensors(file, { ...layout, tensors: renamed })).toThrow(badFile);
    const turned = layoutOf({ ...shape, vocabulary: 3, context: 5 }); // as many values, otherwise shared out
    expect(turned.length).toBe(layout.length);
    expect(() => decodeSafetensors(file, turned)).toThrow(badFile);
  });

  it("no bytes make it throw anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeSafetensors(bytes, layout)).toThrow(badFile);
      }),
    );
  });
});
