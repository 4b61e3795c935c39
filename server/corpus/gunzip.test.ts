import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { gunzip, unpackedLimit } from "./gunzip.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** 60 MiB in some 60 kB. */
const BOMB = gzipSync(new Uint8Array(60 * MIB));

/** How many bytes of a file are unpacked, and what ends it. */
async function unpack(file: Uint8Array, limit?: number): Promise<{ bytes: number; code?: string }> {
  let bytes = 0;
  const pieces = async function* () {
    yield file;
  };
  try {
    for await (const { length } of gunzip(pieces(), "text.gz", limit)) bytes += length;
    return { bytes };
  } catch (error) {
    return { bytes, code: (error as { code: string }).code };
  }
}

describe("A5: gzip that becomes more than a text may have", () => {
  it("is unpacked to its limit and no further", async () => {
    const limit = unpackedLimit(BOMB.length, 4 * GIB);
    expect(limit).toBeLessThan(40 * MIB);
    const { bytes, code } = await unpack(BOMB, limit);
    expect(code).toBe("too-large");
    expect(bytes).toBeLessThanOrEqual(limit);
  });

  it("is unpacked whole where there is no limit, the control", async () => {
    expect(await unpack(BOMB)).toEqual({ bytes: 60 * MIB });
  });

  it("is recognised: text packs to a hundredth at most", async () => {
    const text = gzipSync("A log says the same thing again and again, with another number.\n".repeat(1_000));
    expect(await unpack(text, unpackedLimit(text.length, 4 * GIB))).toEqual({ bytes: 64_000 });
    expect(unpackedLimit(GIB, 4 * GIB)).toBe(4 * GIB);
  });
});
