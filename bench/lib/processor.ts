import { readdir, readFile } from "node:fs/promises";

/** The kernel counts processor time in hundredths of a second. */
const CLOCK_TICK_MS = 10;

/** Milliseconds of processor time of a living process so far, 0 where there is no /proc. */
export const processorMs = (pid: number): Promise<number> => spentIn(`/proc/${pid}/stat`);

/** The same of the thread that began it, which is that of Node's event loop. */
export const mainThreadMs = (pid: number): Promise<number> => spentIn(`/proc/${pid}/task/${pid}/stat`);

/** The same of its threads of a name; 0 where it has none. */
export async function threadMs(pid: number, name: string): Promise<number> {
  let ms = 0;
  for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const called = await readFile(`/proc/${pid}/task/${thread}/comm`, "utf8").catch(() => "");
    if (called.trim() === name) ms += await spentIn(`/proc/${pid}/task/${thread}/stat`);
  }
  return ms;
}

async function spentIn(path: string): Promise<number> {
  const stat = await readFile(path, "utf8").catch(() => "");
  // After the name, which is in brackets and may hold anything, the 12th and 13th fields: in the program, in the kernel.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * CLOCK_TICK_MS;
}
