import { expect, test } from "vitest";
import { GONE_MS, Lease, type LeaseOptions, RENEW_MS, SILENCE_MS, type SignBoard } from "./lease.ts";

/** A board in memory, and time that passes only when it is told to. */
function world() {
  const signs: (Awaited<ReturnType<SignBoard["last"]>> & object)[] = [];
  const sleepers: { at: number; wake: () => void }[] = [];
  let ms = 0;
  const gone = new Set<string>();
  const board: SignBoard & { away: boolean; losesAnswers: boolean } = {
    away: false,
    isGone: async (writer) => gone.has(writer),
    losesAnswers: false,
    async last() {
      if (board.away) throw new Error("no answer");
      return signs.at(-1);
    },
    async post(sign, after) {
      if (board.away) throw new Error("no answer");
      if ((signs.at(-1)?.seq ?? 0) !== after) return undefined;
      signs.push({ ...sign, seq: after + 1 });
      if (board.losesAnswers) throw new Error("no answer");
      return after + 1;
    },
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (length: number) => {
    for (const end = ms + length; ms < end; ) {
      ms += RENEW_MS / 2;
      for (const sleeper of sleepers.splice(0)) sleeper.at <= ms ? sleeper.wake() : sleepers.push(sleeper);
      await settle();
    }
  };
  const options = (writer: string): LeaseOptions => ({
    ...{ board, writer, who: `${writer}:1`, now: () => ms },
    sleep: (length, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        sleepers.push({ at: ms + length, wake: resolve });
      }),
  });
  const standBy = (writer: string) => {
    const told: string[] = [];
    const ending = new AbortController();
    const by = { waiting: (who: string) => told.push(who), signal: ending.signal };
    let lease: Lease | undefined;
    const acquired = Lease.acquire({ ...options(writer), standBy: by }).then((got) => {
      lease = got;
      return got;
    });
    acquired.catch(() => {});
    return { told, ending, acquired, lease: () => lease };
  };
  return { board, gone, signs, pass, settle, options, standBy };
}

test("the first leads at once, and a second stands by for as long as signs come, and says behind whom", async () => {
  const { pass, options, standBy } = world();
  const first = await Lease.acquire(options("a"));
  const second = standBy("b");
  await pass(10 * SILENCE_MS);
  expect(second.lease()).toBeUndefined();
  expect(second.told).toEqual(["a:1"]);
  expect(first.lost.aborted).toBe(false);
  second.ending.abort(new Error("stopped"));
  await pass(RENEW_MS);
  await expect(second.acquired).rejects.toThrow("stopped");
  await first.release();
});

test("a server that falls silent is followed once its silence is long enough, and learns of it when it comes back", async () => {
  const { board, pass, options, standBy } = world();
  const sleepless = options("a");
  let frozen = false;
  const first = await Lease.acquire({
    ...sleepless,
    board: {
      ...sleepless.board,
      post: (sign, after) => (frozen ? Promise.reject(new Error("frozen")) : board.post(sign, after)),
    },
  });
  const second = standBy("b");
  await pass(4 * RENEW_MS);
  frozen = true;
  await pass(SILENCE_MS - 2 * RENEW_MS);
  expect(second.lease()).toBeUndefined();
  await pass(3 * RENEW_MS);
  expect(second.lease()).toBeDefined();
  expect(first.lost.aborted).toBe(false);
  frozen = false;
  await pass(2 * RENEW_MS);
  expect(first.lost.aborted).toBe(true);
  expect(second.lease()?.lost.aborted).toBe(false);
  await first.release(); // says nothing over the other's sign
  await pass(2 * RENEW_MS);
  expect(second.lease()?.lost.aborted).toBe(false);
  await second.lease()?.release();
});

test("a server that has no connection is followed sooner, and one that finds another node in time is not", async () => {
  const { board, gone, pass, options, standBy } = world();
  let dead = false;
  const first = await Lease.acquire({
    ...options("a"),
    board: {
      ...board,
      post: (sign, after) => (dead ? Promise.reject(new Error("dead")) : board.post(sign, after)),
    },
  });
  const second = standBy("b");
  await pass(4 * RENEW_MS);
  gone.add("a");
  await pass(10 * SILENCE_MS); // it posts all the same: what the cluster says of its connection is no more than a hint
  expect(second.lease()).toBeUndefined();
  dead = true;
  await pass(GONE_MS - RENEW_MS);
  gone.delete("a"); // its node died, and it found another
  dead = false;
  await pass(2 * GONE_MS);
  expect(second.lease()).toBeUndefined();
  dead = true;
  gone.add("a");
  await pass(GONE_MS - RENEW_MS);
  expect(second.lease()).toBeUndefined();
  await pass(4 * RENEW_MS);
  expect(second.lease()).toBeDefined();
  await first.release();
  await second.lease()?.release();
});

test("one that stops lets the next lead at once", async () => {
  const { pass, options, standBy } = world();
  const first = await Lease.acquire(options("a"));
  const second = standBy("b");
  await pass(2 * RENEW_MS);
  await first.release();
  await pass(RENEW_MS);
  expect(second.lease()).toBeDefined();
  await second.lease()?.release();
});

test("an answer that was lost and a cluster that was away cost no lease", async () => {
  const { board, pass, options } = world();
  const first = await Lease.acquire(options("a"));
  board.losesAnswers = true;
  await pass(RENEW_MS);
  board.losesAnswers = false;
  await pass(2 * RENEW_MS);
  board.away = true;
  await pass(SILENCE_MS);
  board.away = false;
  await pass(2 * RENEW_MS);
  expect(first.lost.aborted).toBe(false);
  await first.release();
});

test("while nobody answers nobody takes the lease, and who stands by counts the silence from when they do", async () => {
  const { board, pass, options, standBy } = world();
  const first = await Lease.acquire(options("a"));
  const second = standBy("b");
  await pass(2 * RENEW_MS);
  board.away = true;
  await pass(3 * SILENCE_MS);
  board.away = false;
  await pass(2 * SILENCE_MS);
  expect(second.lease()).toBeUndefined();
  expect(first.lost.aborted).toBe(false);
  await first.release();
  board.losesAnswers = true; // of the sign that takes the lease
  await pass(2 * RENEW_MS);
  board.losesAnswers = false;
  expect(second.lease()).toBeDefined();
  await pass(2 * RENEW_MS);
  expect(second.lease()?.lost.aborted).toBe(false);
  await second.lease()?.release();
});

test("a server that starts while the cluster elects waits until the cluster answers again", async () => {
  const { board, pass, options, standBy } = world();
  board.away = true;
  const [first, idle] = [Lease.acquire(options("a")), standBy("b")];
  first.catch(() => {});
  await pass(2 * SILENCE_MS);
  board.away = false;
  await pass(RENEW_MS);
  const leads = await Promise.race([first, idle.acquired]);
  idle.ending.abort();
  await pass(RENEW_MS);
  await leads.release();
});

test("a command that stands by behind nobody says so where the cluster does not answer for long", async () => {
  const { board, pass, options } = world();
  board.away = true;
  const refused = Lease.acquire(options("a"));
  refused.catch(() => {});
  await pass(25_000);
  await expect(refused).rejects.toThrow("no answer");
});

test("of two that find a silent board only one leads, and one that does not stand by is refused while signs come", async () => {
  const { board, pass, options, standBy } = world();
  await board.post({ writer: "dead", who: "dead:1", over: false }, 0);
  const [one, other] = [standBy("b"), standBy("c")];
  await pass(2 * SILENCE_MS);
  expect([one, other].filter((each) => each.lease() !== undefined)).toHaveLength(1);
  const refused = Lease.acquire(options("d"));
  refused.catch(() => {});
  await pass(2 * RENEW_MS);
  await expect(refused).rejects.toThrow(/^[bc]:1 serves this run$/);
  for (const each of [one, other]) each.ending.abort();
  await pass(RENEW_MS);
  await (one.lease() ?? other.lease())?.release();
});
