import { expect, onTestFinished, test } from "vitest";
import { Random } from "../model/lib/random.ts";
import { holds, Memory, open, script } from "./harness/crashed-run.ts";
import { MemoryFiles, PowerLoss } from "./harness/memory-files.ts";
import { Stillness } from "./harness/virtual-time.ts";

/** Runs the script until the power goes at operation `at`, then starts again and holds everything to I1 and I2. */
async function crashAt(
  at: number,
  outcomes: readonly ("kill" | "drop" | Random)[],
  still: Stillness,
): Promise<boolean> {
  const files = new MemoryFiles();
  let cut = false;
  files.before = ({ number }) => {
    if (number !== at) return;
    cut = true;
    throw new PowerLoss();
  };
  const memory = new Memory();
  try {
    const first = await open(files);
    await script(first, { memory, still, off: () => cut });
    if (!cut) await first.run.close();
  } catch (error) {
    if (!cut) throw error;
  }
  for (const survivors of outcomes) {
    await holds(files.restart(survivors), memory, still, `cut at ${at}`);
  }
  return cut;
}

test("A1, A2: cut at every operation of a run's life: no receipted delta lost or merged twice, every hash a replay's", async () => {
  const still = new Stillness(onTestFinished);
  let at = 0;
  while (await crashAt(at, ["kill", "drop", new Random(at)], still)) at += 1;
  expect(at).toBeGreaterThan(60); // the script does reach the disk that often
}, 300_000);
