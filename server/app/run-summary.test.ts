import { expect, it } from "vitest";
import { parseLobby } from "../../protocol/lobby.ts";
import { tinyRun } from "../../test/harness/tiny-run.ts";
import { summaryOf } from "./run-summary.ts";

it("M4: a finished run says what it wrote at its end, and one that goes on does not", async () => {
  const { run } = await tinyRun();
  const said = (state: "running" | "finished", sample: { version: number; text: string } | null) => {
    const status = { ...run.status(), state, sample };
    const summary = summaryOf(
      { status: () => status, manifest: () => run.manifest() },
      { id: "whales", path: "/r/whales" },
    );
    return parseLobby({ runs: [JSON.parse(JSON.stringify(summary))] }).runs[0];
  };
  const sample = { version: 3, text: "the sea" };
  expect(said("finished", sample)?.sample).toBe("the sea");
  expect(said("finished", null)).not.toHaveProperty("sample");
  expect(said("running", sample)).not.toHaveProperty("sample");
  expect(() => parseLobby({ runs: [{ ...said("finished", sample), sample: "x".repeat(2_001) }] })).toThrow(
    "sample",
  );
  await run.close();
});
