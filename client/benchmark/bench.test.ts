import { expect, test } from "vitest";
import { createBench, type Spawn } from "./bench.ts";
import type { Command, Report } from "./messages.ts";

/** Workers that say what the test has them say. */
function workers() {
  const posted: Command[] = [];
  let ended = 0;
  let say: (report: Report) => void = () => undefined;
  let die: (why: string) => void = () => undefined;
  const spawn: Spawn = (onReport, onDeath) => {
    [say, die] = [onReport, onDeath];
    return { post: (command) => posted.push(command), terminate: () => ended++ };
  };
  return { spawn, posted, say: (r: Report) => say(r), die: (why: string) => die(why), ended: () => ended };
}

test("shows progress and what was refused, and ends its Worker when done", () => {
  const { spawn, posted, say, ended } = workers();
  const bench = createBench(spawn, "https://a.example");
  bench.start("small");
  expect(posted).toEqual([{ type: "start", config: "small", server: "https://a.example" }]);
  say({ type: "progress", contender: "fast-wasm", step: 3 });
  expect(bench.state.value).toMatchObject({ phase: "running", contender: "fast-wasm", step: 3 });
  say({ type: "refused", contender: "gemm", why: "no WebGPU" });
  say({ type: "done" });
  expect(bench.state.value).toMatchObject({ phase: "done", results: { refused: [{ why: "no WebGPU" }] } });
  expect(ended()).toBe(1);
});

test("a stopped measurement hears nothing more, and another can begin", () => {
  const { spawn, say, ended } = workers();
  const bench = createBench(spawn, "");
  bench.stop();
  expect(bench.state.value.phase).toBe("idle");
  bench.start("small");
  bench.stop();
  say({ type: "done" });
  expect(bench.state.value.phase).toBe("stopped");
  bench.start("anchor");
  expect(bench.state.value).toMatchObject({ phase: "running", results: { config: "anchor", rows: [] } });
  expect(ended()).toBe(1);
});

test("a Worker that dies says why", () => {
  const { spawn, die } = workers();
  const bench = createBench(spawn, "");
  bench.start("small");
  die("out of memory");
  expect(bench.state.value).toMatchObject({ phase: "failed", why: "out of memory" });
});
