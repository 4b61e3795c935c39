import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../protocol/events.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Activity, activityLine, KEPT_LINES, withActivity } from "./activity.ts";

const hash = "4".repeat(64) as Hash; // an example needs no real hash

describe("activity", () => {
  it.each<[RunEvent, string]>([
    [{ type: "hello", version: 3, hash, state: "running" }, "Connected at version 3."],
    [
      { type: "version", version: 4, hash, diffBytes: 151_600, deltas: 1, tokens: 5_120, ms: 2_100 },
      "Version 4: 1 delta, 5,120 tokens, 2.1 s, diff 152 kB.",
    ],
    [
      { type: "evaluation", version: 4, tokens: 9, loss: 5.128, sample: "" },
      "Held-out loss of version 4: 5.13.",
    ],
    [{ type: "state", state: "paused" }, "The run is now paused."],
  ])("says %j in a line", (event, line) => expect(activityLine(event)).toBe(line));

  it("keeps the newest lines first, and not without end", () => {
    let lines: readonly Activity[] = [];
    for (let version = 0; version < 50; version++) {
      lines = withActivity(lines, { type: "hello", version, hash, state: "running" }, new Date(version));
    }
    expect(lines).toHaveLength(KEPT_LINES);
    expect(lines[0]?.line).toBe("Connected at version 49.");
    expect(new Set(lines.map(({ id }) => id)).size).toBe(KEPT_LINES);
  });
});
