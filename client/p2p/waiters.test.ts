import { expect, it } from "vitest";
import type { ChunkList } from "../../protocol/chunks.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Brought, Waiters } from "./waiters.ts";

const object = "ab".repeat(32) as Hash;
const list = { hash: object } as ChunkList;

it("gives every caller bytes of its own, so that one may hand them over to another thread", () => {
  const waiters = new Waiters();
  const got: Brought[] = [];
  for (let n = 0; n < 2; n++) {
    waiters.add(object, {
      resolve: (brought) => void got.push(brought),
      reject: () => {},
      progress: () => {},
    });
  }
  waiters.resolve(object, { list, bytes: Uint8Array.of(1, 2, 3) });
  expect(got.map(({ bytes }) => [...bytes])).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(got[0]!.bytes.buffer).not.toBe(got[1]!.bytes.buffer);
  expect(waiters.first).toBeUndefined();
});

it("answers each caller once, and keeps those that wait for another object", () => {
  const waiters = new Waiters();
  const errors: unknown[] = [];
  const other = "cd".repeat(32) as Hash;
  for (const wanted of [object, other]) {
    waiters.add(wanted, {
      resolve: () => {},
      reject: (error) => void errors.push(error),
      progress: () => {},
    });
  }
  waiters.reject(object, "gone");
  waiters.reject(object, "gone again");
  expect(errors).toEqual(["gone"]);
  expect(waiters.first).toBe(other);
  waiters.rejectAll("closed");
  expect(errors).toEqual(["gone", "closed"]);
});
