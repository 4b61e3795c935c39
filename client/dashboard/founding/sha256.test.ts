import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Sha256 } from "./sha256.ts";

const own = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

it("is SHA-256 at every length around a block's end", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    expect(new Sha256().update(bytes).digest(), `${length} bytes`).toBe(own(bytes));
  }
});

it("does not depend on how the message is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (pieces) => {
      const hash = new Sha256();
      for (const piece of pieces) hash.update(piece);
      expect(hash.digest()).toBe(own(Buffer.concat(pieces)));
    }),
    { numRuns: 100 },
  );
});
