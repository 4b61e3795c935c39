import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { CHUNK_BYTES, signChunks } from "../../protocol/chunks.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import { diffName, type RunId } from "../../protocol/ids.ts";
import { chunksInPieces, hashInPieces } from "./large-hash.ts";

const { privateKey } = await createIdentity();
const what = { run: "c".repeat(64) as RunId, object: diffName(3) };

test.each([0, 7, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 5])(
  "%i bytes and their chunks have the hashes that they have in one piece",
  async (length) => {
    const random = new Random(length + 1);
    const bytes = Uint8Array.from({ length }, () => random.below(256));
    const hash = await sha256(bytes);
    expect(await hashInPieces(bytes)).toBe(hash);
    const list = await signChunks(privateKey, what, bytes);
    for (const hashed of [await chunksInPieces(bytes), await chunksInPieces(bytes, hash)])
      expect(await signChunks(privateKey, what, bytes, CHUNK_BYTES, hashed)).toEqual(list);
  },
);
