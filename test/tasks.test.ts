import { expect, test } from "vitest";
import { spentOf } from "./browser/tasks.ts";

const [page, other] = [
  { pid: 1, tid: 1 },
  { pid: 1, tid: 2 },
];
const names = [
  { ...page, name: "thread_name", args: { name: "CrRendererMain" } },
  { ...other, name: "thread_name", args: { name: "DedicatedWorker thread" } },
];
const task = (thread: typeof page, ms: number, lastsMs: number) => ({
  ...thread,
  name: "ThreadControllerImpl::RunTask",
  tdur: ms * 1_000,
  dur: lastsMs * 1_000,
});

test("a page's longest task is counted by its processor time, whatever Workers do and however long others keep it", () => {
  const events = [...names, task(page, 4, 4), task(page, 12, 400), task(other, 900, 900)];
  expect(spentOf(events)).toEqual({ count: 2, ms: 12, interrupted: true });
});

test("a task that had the processor to itself is the page's own", () => {
  const events = [...names, task(page, 60, 62), task(page, 10, 300)];
  expect(spentOf(events)).toEqual({ count: 2, ms: 60, interrupted: false });
  expect(spentOf(names)).toEqual({ count: 0, ms: 0, interrupted: false });
});
