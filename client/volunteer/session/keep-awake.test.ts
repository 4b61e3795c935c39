import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { keepAwake } from "./keep-awake.ts";

function screen(refuses = false) {
  const done: string[] = [];
  return {
    done,
    async request(kind: "screen") {
      done.push(`request ${kind}`);
      if (refuses) throw new Error("the battery runs low");
      return {
        async release() {
          done.push("release");
        },
      };
    },
  };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("the screen is held awake while it is wanted and the page is in sight, and let go at once", async () => {
  const [wanted, hidden, locks] = [signal(false), signal(false), screen()];
  const stop = keepAwake(wanted, hidden, locks);
  expect(locks.done).toEqual([]);
  wanted.value = true;
  await settled();
  hidden.value = true;
  expect(locks.done).toEqual(["request screen", "release"]);
  hidden.value = false;
  await settled();
  wanted.value = false;
  expect(locks.done.slice(2)).toEqual(["request screen", "release"]);
  stop();
});

test("a lock that comes when it is wanted no more is let go", async () => {
  const [wanted, locks] = [signal(true), screen()];
  keepAwake(wanted, signal(false), locks);
  wanted.value = false;
  await settled();
  expect(locks.done).toEqual(["request screen", "release"]);
});

test("a browser that refuses, or has no such lock, changes nothing", async () => {
  const locks = screen(true);
  keepAwake(signal(true), signal(false), locks);
  await settled();
  expect(locks.done).toEqual(["request screen"]);
  expect(() => keepAwake(signal(true), signal(false), undefined)()).not.toThrow();
});
