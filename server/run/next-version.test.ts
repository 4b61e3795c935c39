import { beforeEach, expect, test } from "vitest";
import { bytesOf } from "../../protocol/bytes.ts";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { behind, initialVectors } from "../merge/vectors.ts";
import { StoreError } from "../store/store.ts";
import { NextVersion, versionBytes } from "./next-version.ts";

const hash = "1".repeat(64) as Hash;
const gone = "2".repeat(64) as Hash;
const stored = initialVectors(Float32Array.of(5, 6));
const encode = (x: Float32Array<ArrayBuffer>) => bytesOf(x.slice());

let calls: string[];
let frames: Map<Hash, Uint8Array<ArrayBuffer>>;
let next: NextVersion;

beforeEach(() => {
  calls = [];
  frames = new Map();
  next = new NextVersion({
    task: { encode },
    diffs: {
      save: async (from, named) => void calls.push(`save ${from} ${named}`),
      drop: async (from) => void calls.push(`drop ${from}`),
      follow: async (_, named) => frames.get(named),
    },
    load: async (named) => {
      if (named === gone) throw new StoreError("it is not there");
      return stored;
    },
  });
});

test("a merged version is ready once its diff is stored, and is handed over once", async () => {
  const vectors = initialVectors(Float32Array.of(1, 2));
  expect(() => next.take()).toThrow("was not merged");
  const made = await next.merged(3, vectors, { frame: new Uint8Array(4), hash });
  expect(calls).toEqual([`save 3 ${hash}`]);
  expect(next.take()).toBe(made);
  expect(made).toEqual({ vectors, file: encode(vectors.x) });
  expect(() => next.take()).toThrow("was not merged");
});

test("a stored version is ready again without the diff of a merge that came to nothing", async () => {
  await next.stored(hash, 8);
  expect(calls).toEqual(["drop 7"]);
  expect(next.take().vectors).toBe(stored);
});

test("a stored version that is gone leaves nothing ready, and no diff is dropped for it", async () => {
  await expect(next.stored(gone, 8)).rejects.toThrow(StoreError);
  expect(calls).toEqual([]);
  expect(() => next.take()).toThrow("was not merged");
});

test("another process's version is followed by its diff, and the vectors before it stay as they were", async () => {
  const current = initialVectors(Float32Array.of(1, 2));
  frames.set(hash, encodeFrame(F32, Float32Array.of(0.5, -1)));
  const expected = encode(Float32Array.of(1.5, 1));
  await next.followed(current, { version: 4, hash: await sha256(expected), diff: hash });
  expect(next.take().file).toEqual(expected);
  expect([...current.x]).toEqual([1, 2]);
});

test.each([
  ["does not lead to its hash", encodeFrame(F32, Float32Array.of(9, 9)), hash],
  ["is gone", undefined, hash],
  ["was never made, at a roll-back", undefined, undefined],
])("another process's version is read whole where its diff %s", async (_, frame, diff) => {
  if (frame !== undefined) frames.set(hash, frame);
  const current = initialVectors(Float32Array.of(1, 2));
  await next.followed(current, { version: 4, hash, ...(diff && { diff }) });
  expect(next.take().vectors).toBe(stored);
  await expect(next.followed(current, { version: 5, hash: gone })).rejects.toThrow(StoreError);
});

test("vectors whose x lies in its file already are handed on as they are; others share the file's memory", () => {
  const head = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const task = {
    head,
    encode: ({ buffer, byteOffset, length }: Float32Array<ArrayBuffer>) => {
      const inPlace = byteOffset === head.length && buffer.byteLength === head.length + 4 * length;
      const file = inPlace ? new Uint8Array(buffer) : new Uint8Array(head.length + 4 * length);
      if (!inPlace) file.set(new Uint8Array(buffer, byteOffset, 4 * length), head.length);
      file.set(head);
      return file;
    },
  };
  const within = { ...initialVectors(Float32Array.of(1, 2)), x: behind(head.length, Float32Array.of(1, 2)) };
  expect(versionBytes(task, within).vectors, "the merging threads know them by that").toBe(within);
  const apart = initialVectors(Float32Array.of(1, 2));
  const { vectors, file } = versionBytes(task, apart);
  expect(vectors).toEqual(apart);
  expect(vectors.x.buffer).toBe(file.buffer);
});
