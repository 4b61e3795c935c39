import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type ChunkList, chunkLength, parseChunks, signChunks, verifyChunks } from "./chunks.ts";
import { createIdentity, type Identity, sha256 } from "./identity.ts";
import { diffName, type Hash, type RunId, shardName } from "./ids.ts";

const RUN = "c".repeat(64) as RunId;
const SIZE = 64 * 1024;
const bytes = Uint8Array.from({ length: 2 * SIZE + 5 }, (_, i) => (i * 7) % 251);
let server: Identity;
let list: ChunkList;

beforeAll(async () => {
  server = await createIdentity();
  list = await signChunks(server.privateKey, { run: RUN, object: diffName(3) }, bytes, SIZE);
});

const wire = (changes: object = {}) => JSON.parse(JSON.stringify({ ...list, ...changes }));
const codeOf = (json: object, most?: number) => {
  try {
    parseChunks(JSON.parse(JSON.stringify(json)), most);
    return "taken";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
};

describe("K1: an object's chunk list", () => {
  it("has the hash of the whole and of every chunk, the last shorter", async () => {
    expect(list.hash).toBe(await sha256(bytes));
    expect(list.chunks).toHaveLength(3);
    expect(list.chunks[2]).toBe(await sha256(bytes.slice(2 * SIZE)));
    expect([0, 1, 2].map((chunk) => chunkLength(list, chunk))).toEqual([SIZE, SIZE, 5]);
  });

  it("survives the wire", () => {
    expect(parseChunks(wire({ more: 1 }))).toEqual(list);
  });

  it("is refused with a chunk too many or too few, or a size out of bounds", () => {
    expect(codeOf(wire())).toBe("taken"); // the control
    expect(codeOf(wire({ chunks: list.chunks.slice(1) }))).toBe("bad-request");
    expect(codeOf(wire({ chunks: [...list.chunks, list.chunks[0]] }))).toBe("bad-request");
    for (const size of [0, 1, SIZE - 1, 256 * 1024 + 1, 1.5, "65536"]) {
      expect(codeOf(wire({ size })), String(size)).toBe("bad-request");
    }
    for (const length of [0, -1, 0.5, Number.NaN, 2 ** 60]) {
      expect(codeOf(wire({ length })), String(length)).toBe("bad-request");
    }
  });

  it("names what it lists: a snapshot's or a shard's name is its hash", () => {
    expect(codeOf(wire({ object: shardName(list.hash) }))).toBe("taken"); // the control
    expect(codeOf(wire({ object: shardName("d".repeat(64) as Hash) }))).toBe("bad-request");
    for (const object of ["snapshots/x", "shards/../x", "diffs/01", "diffs/-1", "keys/1", ""]) {
      expect(codeOf(wire({ object })), object).toBe("bad-request");
    }
  });

  it("is refused where the object is larger than the reader has room for (P3)", () => {
    expect(codeOf(wire(), bytes.length)).toBe("taken"); // the control
    expect(codeOf(wire(), bytes.length - 1)).toBe("too-large");
    expect(codeOf(wire({ length: 2 ** 52 }))).toBe("too-large");
  });

  it("throws typed errors only, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(list)), fc.jsonValue()), (json) => {
        expect(["taken", "bad-request", "too-large"]).toContain(codeOf({ ...list, ...json }));
      }),
    );
  });
});

describe("K2: the server signs it", () => {
  it("every field of it", async () => {
    expect(await verifyChunks(server.key, list)).toBe(true); // the control
    const other = "e".repeat(64) as Hash;
    const forged: ChunkList[] = [
      { ...list, run: "d".repeat(64) as RunId },
      { ...list, object: diffName(4) },
      { ...list, hash: other },
      { ...list, length: list.length - 1 },
      { ...list, size: SIZE + 1 },
      { ...list, chunks: [other, ...list.chunks.slice(1)] },
    ];
    for (const one of forged) expect(await verifyChunks(server.key, one)).toBe(false);
    expect(await verifyChunks((await createIdentity()).key, list)).toBe(false);
  });
});
