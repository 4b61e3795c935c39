import { expect, test } from "vitest";
import type { PassedRequest } from "../lib/passing.ts";
import { EDGE_RATE, EDGE_SHARE, MAX_ASKING, MAX_OPERATOR_BYTES, MAX_PASSED_BYTES } from "../net/limits.ts";
import { answerPassed } from "./pass-on.ts";
import { PassedLimiter } from "./passed-limiter.ts";

/** A GET, whose body nobody reads or copies: they are large here. */
const request = (bytes = 0): PassedRequest => ({
  ...{ method: "GET", target: "/x", headers: [], address: "192.0.2.1", encrypted: false },
  body: new Uint8Array(bytes),
});

/** Of one who asks and does not hang up. */
const STAYS = new AbortController().signal;

/** A leader whose route is held until the test lets it answer. */
function world(maxUploadBytes = 1_024) {
  const held: (() => void)[] = [];
  const most = { requests: 0 };
  const app = {
    async fetch() {
      const { promise, resolve } = Promise.withResolvers<void>();
      most.requests = Math.max(most.requests, held.push(resolve));
      await promise;
      return new Response("done", { status: 201 });
    },
  };
  let now = 0;
  const limiter = new PassedLimiter(app, { version: () => 5, maxUploadBytes, now: () => now });
  const outcomes: string[] = [];
  const ask = (sender: string, bytes = 0) =>
    limiter.answer(request(bytes), sender, STAYS).then(
      ({ status }) => outcomes.push(String(status)),
      (error: { code: string }) => outcomes.push(error.code),
    );
  const open = async () => {
    await new Promise(setImmediate);
    for (const answer of held.splice(0)) answer();
    await new Promise(setImmediate);
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { app, ask, limiter, most, outcomes, open, pass };
}

test("an edge that asks for more at once than its share is refused, and another one is answered", async () => {
  const { ask, most, outcomes, open } = world();
  const share = EDGE_SHARE * MAX_ASKING;
  const asked = Array.from({ length: share + 10 }, () => ask("one"));
  asked.push(ask("other"));
  await open();
  await Promise.all(asked);
  expect(most.requests).toBe(share + 1);
  expect(outcomes.filter((code) => code === "too-many-requests")).toHaveLength(10);
  expect(outcomes.filter((code) => code === "201")).toHaveLength(share + 1);
  const again = ask("one");
  await open();
  await again;
  expect(outcomes.at(-1)).toBe("201");
});

test("the control: without the limiter one edge has the leader hold all it asks for", async () => {
  const { app, most, open } = world();
  const asked = Array.from({ length: MAX_ASKING }, () => answerPassed(app, request(), () => 5, STAYS));
  await open();
  await Promise.all(asked);
  expect(most.requests).toBe(MAX_ASKING);
});

test("an edge that asks too often is refused until time passes, whether or not its requests were answered", async () => {
  const { ask, outcomes, open, pass } = world();
  for (let i = 0; i < EDGE_RATE.burst; i++) {
    const asked = ask("one");
    if (i % 1_000 === 999) await open();
    void asked;
  }
  await open();
  await ask("one");
  expect(outcomes.at(-1)).toBe("too-many-requests");
  pass(1);
  const later = ask("one");
  await open();
  await later;
  expect(outcomes.at(-1)).toBe("201");
});

test("bodies are bounded one by one and together, and what is over gives its room back", async () => {
  const large = EDGE_SHARE * MAX_PASSED_BYTES;
  const { ask, most, outcomes, open } = world(large);
  const [first, second, third] = [ask("one", large), ask("one", 1), ask("other", large)];
  await Promise.all([second, ask("third", 1)]);
  expect(outcomes).toEqual(["too-many-requests", "too-many-requests"]);
  expect(most.requests).toBe(2);
  await open();
  await Promise.all([first, third]);
  const again = ask("one", large);
  await open();
  await again;
  expect(outcomes.slice(2)).toEqual(["201", "201", "201"]);
  const small = world();
  await small.ask("one", MAX_OPERATOR_BYTES + 1);
  expect(small.outcomes).toEqual(["too-large"]);
  expect(small.most.requests).toBe(0);
});
