import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { sha256 } from "../../protocol/identity.ts";
import { hashInPieces } from "./large-hash.ts";

test.each([0, 7, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 5])(
  "%i bytes have the hash that they have in one piece",
  async (length) => {
    const random = new Random(length + 1);
    const bytes = Uint8Array.from({ length }, () => random.below(256));
    expect(await hashInPieces(bytes)).toBe(await sha256(bytes));
  },
);
