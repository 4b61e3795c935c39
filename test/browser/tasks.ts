import type { Page } from "playwright-core";

/** What is used of a trace event; times are in microseconds: on the wall, and of the thread's processor. */
export interface Task {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What the main thread did meanwhile. */
export interface Spent {
  readonly count: number;
  /** Milliseconds of processor time that the longest task took. */
  readonly ms: number;
  /** Whether that task had to give its processor away in the middle. */
  readonly interrupted: boolean;
}

/** Looks of {@link smoothness} at most. */
const MAX_LOOKS = 3;
/** Milliseconds from which on a task is felt. */
const FELT_MS = 50;
/** A task that lasts so many times its processor time was interrupted. */
const INTERRUPTED = 1.25;

/**
 * As {@link traceTasks}, and again where the longest task is felt and was interrupted: whoever had the processor
 * meanwhile also took its caches, and filling them again is processor time that the page did not spend.
 *
 * A task that had the processor to itself is the page's own, and is never looked at again. So this hides one thing: a
 * task of the page's own that is felt, happens in fewer than all looks, and is interrupted in each look in which it
 * happens. On an idle machine that is none.
 */
export async function smoothness(page: Page, work: () => Promise<unknown>): Promise<Spent> {
  for (let look = 1; ; look++) {
    const spent = await traceTasks(page, work);
    if (spent.ms < FELT_MS || !spent.interrupted || look === MAX_LOOKS) return spent;
    process.stderr.write(
      `A task of ${spent.ms.toFixed(0)} ms was interrupted by other programs: looking again.\n`,
    );
  }
}

/** Does something with the page, and returns what its main thread did meanwhile. */
export async function traceTasks(page: Page, work: () => Promise<unknown>): Promise<Spent> {
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
  return spentOf(tasks);
}

/** Processor time of the main threads: how long others kept the machine busy is not the page's doing. */
export function spentOf(events: readonly Task[]): Spent {
  const main = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = events.filter(({ name, pid, tid }) => /RunTask$/.test(name) && main.has(`${pid} ${tid}`));
  const longest = tasks.reduce<Task | undefined>(
    (a, b) => ((b.tdur ?? 0) > (a?.tdur ?? 0) ? b : a),
    undefined,
  );
  const { dur = 0, tdur = 0 } = longest ?? {};
  return { count: tasks.length, ms: tdur / 1_000, interrupted: dur > INTERRUPTED * tdur };
}
