import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** Servers and commands that tests start are compiled once and not each time: half of what a start takes. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/node");

/** By itself Vitest leaves a processor free: of the two that CI has, a half of the machine. */
const maxWorkers = availableParallelism();
/**
 * Tests wait for a good part of their time: in browsers for servers to start and for the pages' own limits, 5 to 15 s;
 * elsewhere for nodes of nats-server, which take a quarter of a processor, for processes, and for sockets' time to be over.
 */
const oneMore = maxWorkers + 1;

/** Real browsers are slow to start, and share their processors with other tests. */
const BROWSER_MS = 240_000;
/**
 * What a test looks for again and again may take a while on a machine that others use: by itself Vitest gives up after a
 * second. The polls end sooner than their tests, so that they say what they saw last.
 */
const patient = { poll: { timeout: 30_000 } };
const browser = { testTimeout: BROWSER_MS, hookTimeout: BROWSER_MS, expect: patient };

/**
 * Browser tests that measure time: of tasks, of shares of it, or until something is given up. In `swarm` a page tries
 * its device on a GPU that the processor plays, for which the product gives it 90 s.
 */
const TIMED = ["how", "peers", "presets", "swarm", "visitor"].map((name) => `test/browser/${name}.test.ts`);

/**
 * One after another. `unit`: everything that needs no browser, beside its source or in test/. `browser`: real browsers.
 * Of both, one file at once more than there are processors. `browser-timed`: a file for each processor.
 */
export default defineConfig({
  test: {
    globalSetup: ["test/browser/setup.ts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["{protocol,model,client,server,bin}/**/*.test.{ts,tsx}", "test/*.test.ts"],
          testTimeout: 60_000,
          // A thread is ready a third of a second sooner than a process, for each of 300 files.
          pool: "threads",
          // Files share their thread's modules: loading them anew was a third of all processor time. A test undoes what it
          // does to anything global.
          isolate: false,
          setupFiles: ["test/in-english.ts"],
          maxWorkers: oneMore,
        },
      },
      {
        test: {
          ...browser,
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          exclude: TIMED,
          maxWorkers: oneMore,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...browser,
          name: "browser-timed",
          include: TIMED,
          maxWorkers,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
