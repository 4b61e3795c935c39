import { expect, test } from "vitest";
import { workerCommand } from "./worker.ts";

async function run(...args: string[]) {
  const out: string[] = [];
  const write = (text: string) => void out.push(text);
  const signal = AbortSignal.abort();
  const code = await workerCommand(args, { stdout: { write }, stderr: { write }, signal });
  return { code, text: out.join("") };
}

test("a command that makes no sense ends with 2 and says why; help with 0", async () => {
  expect(await run("--help")).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^Usage: murmuration worker/),
  });
  const wrong: [string, RegExp][] = [
    ["", /needs --cluster ADDRESS and --key FILE/],
    ["--cluster nats://a", /needs --cluster/],
    ["--cluster nats://a --key k --tasks sums", /--tasks takes audits,evaluations,merges, not "sums"/],
    ["--cluster nats://a --key k --tasks", /tasks/],
    ["--cluster nats://a --key k more", /more/],
  ];
  for (const [line, why] of wrong) {
    const { code, text } = await run(...line.split(" ").filter(Boolean));
    expect([code, text], line).toEqual([2, expect.stringMatching(why)]);
  }
});

test("a directory without a corpus is refused in one line", async () => {
  const { code, text } = await run(..."--cluster nats://127.0.0.1:9 --key k --data /nonexistent".split(" "));
  expect(code).toBe(1);
  expect(text.trim().split("\n")).toHaveLength(1);
});
