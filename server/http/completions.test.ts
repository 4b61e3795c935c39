import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { WRITING_ROUTES } from "../../protocol/routes.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { silentLog, until } from "../../test/harness/tiny-run.ts";
import { type OpenDirectory, openDirectory } from "../app/open-directory.ts";
import { addCorpus } from "../corpus/add.ts";
import { COMPLETION_RATE, MAX_COMPLETION_BODIES } from "../net/limits.ts";
import type { Run } from "../run/run.ts";
import { parseSettings } from "../run/settings.ts";

/** A real run, whose evaluator's thread writes. */
let directory: string;
let opened: OpenDirectory;
let run: Run;
let now = 0;
let app: ReturnType<typeof edge>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-completions-"));
  const data = join(directory, "data");
  await writeFile(join(directory, "a.txt"), prose(20_000));
  await addCorpus({ files: [join(directory, "a.txt")], dataDir: data, vocabulary: 300, context: 16 });
  const settings = parseSettings({
    ...{ name: "Starlings", model: { layers: 1, heads: 1, width: 8, context: 16 } },
    ...{
      batch: 1,
      rounds: { seconds: 0.1, batch: 1 },
      steps: 1,
      evaluateWindows: 1,
      trust: { auditShare: 0 },
    },
  });
  opened = await openDirectory(data, { settings, log: silentLog, stderr: { write() {} } });
  run = opened.run ?? expect.fail("there is no run");
  await until(() => run.status().heldOut.length > 0); // the evaluator is free
});
afterAll(async () => {
  await opened.close();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  now += 1e9;
  app = edge(run, { completions: run.completions, now: () => now });
  await run.completions.set(true);
});

const post = (body: unknown, headers: Record<string, string> = {}, at = app) =>
  at.request(WRITING_ROUTES.completions, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const errorOf = async (response: Response) => ({
  status: response.status,
  ...(await response.json()).error,
});
const ORDER = { model: "any", prompt: "The ", max_tokens: 8, seed: 7 };

it("Q1: is off until an operator turns it on, and a restart remembers", async () => {
  await run.completions.set(false);
  expect(await errorOf(await post(ORDER))).toMatchObject({
    status: 404,
    code: "not_found",
    type: "invalid_request_error",
  });
  expect((await app.request(WRITING_ROUTES.models)).status).toBe(404);
  await run.completions.set(true);
  expect((await post(ORDER)).status).toBe(200);
  expect((await (await app.request(WRITING_ROUTES.models)).json()).data[0].id).toBe("Starlings");
});

it("Q2: the current version goes on from the prompt, the same for the same seed", async () => {
  const [one, same, other] = [await post(ORDER), await post(ORDER), await post({ ...ORDER, seed: 8 })];
  const written = await one.json();
  expect(written).toMatchObject({
    object: "text_completion",
    model: "Starlings",
    choices: [{ index: 0, logprobs: null, finish_reason: "length" }],
    usage: { completion_tokens: 8 },
  });
  expect(written.choices[0].text.length).toBeGreaterThan(0);
  expect((await same.json()).choices[0].text).toBe(written.choices[0].text);
  expect((await other.json()).choices[0].text).not.toBe(written.choices[0].text);
  const { usage } = written;
  expect(usage.total_tokens).toBe(usage.prompt_tokens + 8);
});

it("Q3: streams the same text in parts, and ends with [DONE]", async () => {
  const whole = (await (await post({ ...ORDER, max_tokens: 30 })).json()).choices[0].text;
  const response = await post({ ...ORDER, max_tokens: 30, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const events = (await response.text()).split("\n\n").filter((line) => line !== "");
  expect(events.at(-1)).toBe("data: [DONE]");
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
  expect(chunks.length).toBeGreaterThan(5);
  expect(chunks.map(({ choices }) => choices[0].text).join("")).toBe(whole);
  expect(chunks.at(-1)).toMatchObject({
    choices: [{ finish_reason: "length" }],
    usage: { completion_tokens: 30 },
  });
});

it("Q2: ends before a stop text, in a stream too", async () => {
  const whole = (await (await post({ ...ORDER, max_tokens: 60 })).json()).choices[0].text;
  const stop = whole.slice(10, 13);
  const expected = whole.slice(0, whole.indexOf(stop));
  const { choices } = await (await post({ ...ORDER, max_tokens: 60, stop })).json();
  expect(choices[0]).toMatchObject({ text: expected, finish_reason: "stop" });
  const streamed = await (await post({ ...ORDER, max_tokens: 60, stop: [stop], stream: true })).text();
  const parts = [...streamed.matchAll(/"text":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text!));
  expect(parts.join("")).toBe(expected);
});

describe("Q4: says what it cannot do in the form of OpenAI's errors", () => {
  it.each([
    ["prompt", { prompt: undefined }],
    ["prompt", { prompt: "" }],
    ["prompt", { prompt: ["a", "b"] }],
    ["prompt", { prompt: [1, 2, 3] }],
    ["prompt", { prompt: "x".repeat(9_000) }],
    ["max_tokens", { max_tokens: 0 }],
    ["max_tokens", { max_tokens: 100_000 }],
    ["max_tokens", { max_tokens: 1.5 }],
    ["temperature", { temperature: -1 }],
    ["temperature", { temperature: "hot" }],
    ["n", { n: 2 }],
    ["logprobs", { logprobs: 5 }],
    ["top_p", { top_p: 0.5 }],
    ["stop", { stop: ["", "a"] }],
    ["stop", { stop: Array.from({ length: 5 }, () => "a") }],
    ["stop", { stop: "\udc0b" }],
    ["stream", { stream: "yes" }],
    ["seed", { seed: -1 }],
  ])("%s of %o", async (param, change) => {
    expect(await errorOf(await post({ ...ORDER, ...change }))).toMatchObject({
      ...{ status: 400, type: "invalid_request_error", param },
      message: expect.any(String),
    });
  });

  it.each(["", "{", "null", "[]", '"text"'])("a body of %o", async (body) => {
    expect(await errorOf(await post(body))).toMatchObject({ status: 400, type: "invalid_request_error" });
  });

  it("another method, another type, a body that is too large", async () => {
    for (const [path, method, allow] of [
      [WRITING_ROUTES.completions, "GET", "POST"],
      [WRITING_ROUTES.completions, "HEAD", "POST"],
      [WRITING_ROUTES.models, "DELETE", "GET, HEAD"],
    ] as const) {
      const answer = await app.request(path, { method });
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
      const told = await app.request(path, { method: "OPTIONS" });
      expect([told.status, told.headers.get("allow"), await told.text()]).toEqual([204, allow, ""]);
    }
    const nowhere = await app.request("/v1/chat/completions", { method: "POST", body: "{}" });
    expect(await errorOf(nowhere)).toMatchObject({ status: 404, type: "invalid_request_error" });
    expect(await errorOf(await post(ORDER, { "content-type": "text/plain" }))).toMatchObject({ status: 415 });
    expect(await errorOf(await post({ ...ORDER, user: "x".repeat(100_000) }))).toMatchObject({ status: 413 });
  });

  it("A36: more than one address may ask for, until time has passed", async () => {
    for (let i = 0; i < COMPLETION_RATE.burst; i++)
      expect((await post({ ...ORDER, max_tokens: 1 })).status).toBe(200);
    const refused = await post(ORDER);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await errorOf(refused)).toMatchObject({
      status: 429,
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
    });
    now += 5_000;
    expect((await post({ ...ORDER, max_tokens: 1 })).status).toBe(200);
  });

  it("a model that is busy, and one that fails, before the stream begins and after", async () => {
    const answers = async (failure: Error, after: number) => {
      const completions = {
        on: true,
        write: async (_: unknown, part: (text: string) => void) => {
          for (let i = 0; i < after; i++) part("a");
          throw failure;
        },
      };
      const failing = edge(new FakeService(), { completions });
      return post({ ...ORDER, stream: true }, {}, failing);
    };
    const busy = await answers(new ProtocolError("too-many-requests", "busy", 2_000), 0);
    expect(await errorOf(busy)).toMatchObject({ status: 429, type: "rate_limit_error" });
    expect(await errorOf(await answers(new Error("secret"), 0))).toMatchObject({
      status: 500,
      type: "server_error",
    });
    const half = await answers(new Error("secret"), 1);
    expect(half.status).toBe(200);
    const text = await half.text();
    expect(text).toContain("server_error");
    expect(text).not.toMatch(/secret|\[DONE\]/);
  });
});

it("A36: a text that nobody waits for any more ends with the token at hand; the control is written to its end", async () => {
  const leaving = new AbortController();
  const heard = Promise.withResolvers<AbortSignal>();
  const written = { promptTokens: 1, tokens: 1, ended: "length", version: 0 } as const;
  const completions = {
    on: true,
    write: async (_order: unknown, _part: unknown, left: AbortSignal) => {
      leaving.abort();
      heard.resolve(left);
      return written;
    },
  };
  const request = new Request(`http://x${WRITING_ROUTES.completions}`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    ...{ body: JSON.stringify(ORDER), signal: leaving.signal },
  });
  await edge(new FakeService(), { completions }).request(request);
  expect((await heard.promise).aborted).toBe(true);

  const order = { prompt: "The ", maxTokens: 200, temperature: 1, topK: 40, seed: 7, stop: [] };
  expect(await run.completions.write(order, () => {}, AbortSignal.abort())).toMatchObject({ tokens: 1 });
  expect(await run.completions.write(order, () => {})).toMatchObject({ tokens: 200 });
});

it("A36, Q1: writes one text at a time, and a version that is to be measured waits for that one alone", async () => {
  const long = post({ ...ORDER, max_tokens: 256 });
  await new Promise((resolve) => setImmediate(resolve));
  const second = await post(ORDER);
  expect((await long).status).toBe(200);
  expect(await errorOf(second)).toMatchObject({ status: 429 });
  expect((await post(ORDER)).status).toBe(200);
});

it("A37: bodies that never end from one network leave room for another's; the control: as many from many do not", async () => {
  const ending = new AbortController();
  const send = (remoteAddress: string, body: BodyInit) =>
    app.request(
      WRITING_ROUTES.completions,
      {
        ...{ method: "POST", headers: { "content-type": "application/json" }, duplex: "half" },
        body,
      } as RequestInit,
      { incoming: { socket: { remoteAddress } } },
    );
  const endless = () =>
    new ReadableStream({
      start: (body) => ending.signal.addEventListener("abort", () => body.error(new Error("over"))),
    });
  const own = Array.from({ length: MAX_COMPLETION_BODIES }, (_, one) => send(`198.51.100.${one}`, endless()));
  expect((await send("198.51.100.200", JSON.stringify(ORDER))).status).toBe(429);
  expect((await send("203.0.113.1", JSON.stringify(ORDER))).status).toBe(200);
  const many = Array.from({ length: MAX_COMPLETION_BODIES }, (_, one) => send(`192.0.${one}.1`, endless()));
  await new Promise(setImmediate);
  expect((await send("203.0.113.1", JSON.stringify(ORDER))).status).toBe(429);
  ending.abort();
  await Promise.all([...own, ...many]);
});
