import { expect, test } from "vitest";
import { FakeJobs } from "../../test/harness/fake-jobs.ts";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { type Asked, askWorkers, type NotDone } from "./asking.ts";
import { type Every, takeJobs } from "./doing.ts";
import { encodeSaid } from "./said.ts";

const KIND = "sums.1";
const job = Uint8Array.of(1, 2, 3);
/** The work: longer than a part, so that it comes in several. */
const doubled = async (given: Uint8Array<ArrayBuffer>) => {
  const answer = new Uint8Array(1_200_000);
  for (let i = 0; i < answer.length; i++) answer[i] = 2 * given[i % given.length]!;
  return answer;
};
const stuck = () => new Promise<never>(() => {});

function world() {
  const jobs = new FakeJobs();
  const timer = new ManualTimer();
  const distrusted = new Set<string>();
  const failures: [NotDone["why"], string][] = [];
  const every: Every = (ms, callback) => {
    let cancel = () => {};
    const again = () => {
      cancel = timer.after(ms, () => {
        callback();
        again();
      });
    };
    again();
    return () => cancel();
  };
  const parts = {
    ...{ line: jobs.end(), after: timer.after },
    isDistrusted: (who: string) => distrusted.has(who),
    failed: ({ why, who }: NotDone) => {
      failures.push([why, who]);
      if (why === "nonsense") distrusted.add(who);
    },
  };
  const worker = (who: string, work: Parameters<typeof takeJobs>[2] = doubled) => {
    const line = jobs.end();
    takeJobs({ line, who, every, failed: () => {} }, KIND, work);
    return line;
  };
  const ask = (changes: Partial<Asked<Uint8Array>> = {}) =>
    askWorkers(parts, {
      ...{ kind: KIND, job, deadlineMs: 60_000, maxBytes: 2_000_000, read: (answer) => answer },
      ...changes,
    });
  /** Time passes, and messages with it. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await jobs.settle(4);
      timer.pass(500);
    }
    await jobs.settle(4);
  };
  return { jobs, timer, worker, ask, pass, failures, distrusted, line: parts.line };
}

test("whoever computes, the answer is the same bytes; where nobody takes the job there is none at once", async () => {
  const { jobs, ask, worker, failures } = world();
  const none = ask();
  await jobs.settle();
  expect(await none).toBeUndefined();
  worker("one");
  const asked = ask();
  await jobs.settle();
  const { answer, who } = (await asked)!;
  expect(who).toBe("one");
  expect(Buffer.compare(answer, await doubled(job)), "in parts, and in order").toBe(0);
  expect(failures).toEqual([]);
});

test("a worker that dies in the middle says nothing more, and another does the job; without another, nobody does", async () => {
  const { jobs, ask, worker, pass, failures } = world();
  const dying = worker("dying", stuck);
  const asked = ask();
  await jobs.settle();
  expect(dying.jobs).toBe(1);
  worker("other");
  await pass(20_000);
  expect(failures, "it said that it works for as long as it lived").toEqual([]);
  dying.kill();
  await pass(6_000);
  const { answer, who } = (await asked)!;
  expect(who).toBe("other");
  expect(Buffer.compare(answer, await doubled(job))).toBe(0);
  expect(failures).toEqual([["late", "dying"]]);

  const alone = world();
  const last = alone.worker("last", stuck);
  const lost = alone.ask();
  await alone.jobs.settle();
  last.kill();
  await alone.pass(6_000);
  expect(await lost).toBeUndefined();
});

test("a job whose message is lost, as where a group changes, is given to another within two seconds", async () => {
  const { jobs, ask, worker, pass, failures } = world();
  const deaf = jobs.end();
  deaf.take(KIND, stuck); // takes it without a word
  worker("other");
  const asked = ask();
  await pass(2_500);
  expect((await asked)?.who).toBe("other");
  expect(failures).toEqual([["late", ""]]);
});

test("a worker that is at work for ever keeps nobody waiting beyond the deadline", async () => {
  const { ask, worker, pass, failures } = world();
  worker("slow", stuck);
  worker("other");
  let answered = false;
  const asked = ask({ deadlineMs: 30_000 }).finally(() => {
    answered = true;
  });
  await pass(29_000);
  expect(answered).toBe(false);
  await pass(2_000);
  expect(await asked).toBeUndefined();
  expect(failures).toEqual([["late", "slow"]]);
});

test("nonsense of any kind is no answer: whoever says it is named, and asked no more", async () => {
  const nonsense: [string, (said: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>][] = [
    ["a type that there is not", (said) => (said[0] === 0 ? said : Uint8Array.of(9))],
    ["nothing", (said) => (said[0] === 0 ? said : new Uint8Array())],
    [
      "too much",
      (said) => (said[0] === 0 ? said : encodeSaid({ type: "part", bytes: new Uint8Array(2_000_001) })),
    ],
    ["a name without end", (said) => (said[0] === 0 ? said : new Uint8Array(600))],
  ];
  for (const [what, alter] of nonsense) {
    const { jobs, ask, worker, failures, distrusted } = world();
    worker("mad");
    jobs.alter = alter;
    const asked = ask();
    await jobs.settle();
    expect(await asked, what).toBeUndefined();
    expect(failures[0], what).toEqual(["nonsense", "mad"]);
    expect([...distrusted], what).toEqual(["mad"]);
    jobs.alter = (said) => said;
    worker("sane");
    const again = ask();
    await jobs.settle();
    expect((await again)?.who, what).toBe("sane");
  }
  // What cannot be read as an answer to the job is as much nonsense.
  const { jobs, ask, worker, distrusted } = world();
  worker("mad", async () => new Uint8Array(3));
  worker("sane", async () => Uint8Array.of(7));
  const read = (answer: Uint8Array) => {
    if (answer.length !== 1) throw new RangeError("one byte");
    return answer;
  };
  const asked = ask({ read });
  await jobs.settle();
  expect(await asked).toEqual({ answer: Uint8Array.of(7), who: "sane" });
  expect([...distrusted]).toEqual(["mad"]);
});

test("a worker at work is sent nothing else; one that fails says why; a job too long for the cluster is nobody's", async () => {
  const { jobs, ask, worker, failures } = world();
  const busy = worker("busy", stuck);
  void ask();
  await jobs.settle();
  const second = ask();
  await jobs.settle();
  expect(await second, "it is done here meanwhile").toBeUndefined();
  expect(busy.jobs).toBe(1);
  worker("unable", () => Promise.reject(new Error("no such version")));
  const third = ask();
  await jobs.settle();
  expect(await third).toBeUndefined();
  expect(failures.at(-1)).toEqual(["failed", "unable"]);
  jobs.maxBytes = 2;
  expect(await ask()).toBeUndefined();
});
