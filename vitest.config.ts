import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** `unit`: everything that needs no browser, beside its source or in test/. `browser`: real Chromium. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{protocol,model,client,server,bin}/**/*.test.{ts,tsx}", "test/*.test.ts"],
          testTimeout: 30_000,
          // By itself Vitest leaves a processor free: of the two that CI has, a half of the machine.
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["test/browser/setup.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
