import { expect, test } from "vitest";
import { type Activity, after, type Step } from "./activity.ts";

const STEPS: readonly Step[] = ["record", "merge", "roll-back", "done"];
const ACTIVITIES: readonly Activity[] = ["idle", "recording", "merging", "rolling-back"];

test("only an idle publisher begins to record or to merge", () => {
  for (const activity of ACTIVITIES) {
    expect(after(activity, "record"), activity).toBe(activity === "idle" ? "recording" : undefined);
    expect(after(activity, "merge"), activity).toBe(activity === "idle" ? "merging" : undefined);
  }
});

test("a roll-back takes the place of whatever is under way but another roll-back", () => {
  for (const activity of ACTIVITIES) {
    const expected = activity === "rolling-back" ? undefined : "rolling-back";
    expect(after(activity, "roll-back"), activity).toBe(expected);
  }
});

test("every activity ends in idleness, from which no end is reported", () => {
  for (const activity of ACTIVITIES.slice(1)) expect(after(activity, "done")).toBe("idle");
  expect(after("idle", "done")).toBeUndefined();
  expect(STEPS).toHaveLength(4);
});
