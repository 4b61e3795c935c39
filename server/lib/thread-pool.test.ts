import { expect, it } from "vitest";
import { type RestingThread, ThreadPool } from "./thread-pool.ts";

/** A thread that notes what becomes of it, and whose work ends when the test says so. */
class Scripted implements RestingThread {
  readonly name: string;
  readonly log: string[];
  finish: () => void = () => {};

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  async rest(): Promise<void> {
    this.log.push(`${this.name} rests`);
  }

  readonly work = (): Promise<void> => {
    this.log.push(this.name);
    return new Promise((resolve) => {
      this.finish = resolve;
    });
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

async function script(size: { working: number; idle: number }) {
  const log: string[] = [];
  const pool = new ThreadPool(size);
  const [a, b, c] = ["a", "b", "c"].map((name) => new Scripted(name, log)) as [Scripted, Scripted, Scripted];
  return { log, pool, a, b, c };
}

it("lets so many threads work at once, and a run with much to do delays another by one piece", async () => {
  const { log, pool, a, b, c } = await script({ working: 1, idle: 3 });
  const pieces = [a, a, a, b, a, b, c].map((thread) => pool.run(thread, thread.work));
  for (let done = 0; done < pieces.length; done++) {
    await settled();
    expect(log).toHaveLength(done + 1);
    const now = log.at(-1);
    [a, b, c].find(({ name }) => name === now)?.finish();
  }
  await Promise.all(pieces);
  expect(log).toEqual(["a", "b", "c", "a", "b", "a", "a"]);
});

it("works on two at once where it may", async () => {
  const { log, pool, a, b, c } = await script({ working: 2, idle: 3 });
  for (const thread of [a, b, c]) void pool.run(thread, thread.work);
  await settled();
  expect(log).toEqual(["a", "b"]);
  b.finish();
  await settled();
  expect(log).toEqual(["a", "b", "c"]);
});

it("keeps the threads that worked last, and ends the others, never one at work", async () => {
  const { log, pool, a, b, c } = await script({ working: 1, idle: 1 });
  for (const thread of [a, b, a, c]) {
    const done = pool.run(thread, thread.work);
    await settled();
    thread.finish();
    await done;
  }
  expect(log).toEqual(["a", "b", "a rests", "a", "b rests", "c", "a rests"]);
});

it("gives the place back where the work failed, and passes the failure on", async () => {
  const { pool, a, b } = await script({ working: 1, idle: 1 });
  const failed = pool.run(a, async () => {
    throw new RangeError("no");
  });
  const next = pool.run(b, async () => "done");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("done");
});
