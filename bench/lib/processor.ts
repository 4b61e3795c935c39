import { readFile } from "node:fs/promises";

/** The kernel counts processor time in hundredths of a second. */
const CLOCK_TICK_MS = 10;

/** Milliseconds of processor time of a living process so far, 0 where there is no /proc. */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // After the name, which is in brackets and may hold anything, the 12th and 13th fields: in the program, in the kernel.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * CLOCK_TICK_MS;
}
