import type { Page } from "playwright-core";

/** What is used of a trace event; `tdur` is in microseconds. */
interface Task {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Tries of {@link smoothness}. */
const TRIES = 3;
/** A task that is felt, ms. */
const FELT_MS = 50;

/**
 * As {@link traceTasks}, again where a task was felt: what is the page's own doing is there every time, and what a busy
 * machine did to one task (its caches taken by others cost processor time too) is not.
 */
export async function smoothness(page: Page, work: () => Promise<unknown>): ReturnType<typeof traceTasks> {
  let spent = await traceTasks(page, work);
  for (let tries = 1; tries < TRIES && spent.ms >= FELT_MS; tries++) spent = await traceTasks(page, work);
  return spent;
}

/**
 * Does something with the page, and returns how many tasks its main thread ran meanwhile, and the longest in
 * ms. Processor time of the thread: how long others kept the machine busy is not the page's doing.
 */
export async function traceTasks(
  page: Page,
  work: () => Promise<unknown>,
): Promise<{ readonly count: number; readonly ms: number }> {
  const session = await page.context().newCDPSession(page);
  const tasks: Task[] = [];
  session.on("Tracing.dataCollected", ({ value }) => tasks.push(...(value as unknown as Task[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    // No more than tasks and threads' names: a busy machine takes minutes to hand over a large trace.
    traceConfig: { includedCategories: ["toplevel", "__metadata"] },
  });
  await work();
  // The page answers from within a task, which a trace that ends before it would leave out.
  await page.evaluate(() => new Promise((next) => setTimeout(next)));
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  const main = new Set(
    tasks
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const spent = tasks
    .filter(({ name, pid, tid }) => /RunTask$/.test(name) && main.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000);
  return { count: spent.length, ms: Math.max(0, ...spent) };
}
