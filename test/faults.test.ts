import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Random } from "../model/lib/random.ts";
import { StoreError } from "../server/store/store.ts";
import { holds, Memory, open, patientScript, replayed, script, told } from "./harness/crashed-run.ts";
import { MemoryFiles, PowerLoss, systemError } from "./harness/memory-files.ts";
import { Stillness } from "./harness/virtual-time.ts";

/** Something that goes wrong with the disk at an operation of a run's life, counted from its start. */
const fault = fc.record({
  kind: fc.constantFrom("power", "kill", "sync", "full"),
  at: fc.nat(70),
  /** What of the unsynced survives a loss of power: which writes, in which order, how torn. */
  survivors: fc.option(fc.nat(1_000_000), { nil: undefined }),
});
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

/** One life: the disk fails as told, and the power goes at the end of it, whether or not it went before. */
async function live(
  files: MemoryFiles,
  memory: Memory,
  still: Stillness,
  { kind, at, survivors }: Fault,
): Promise<MemoryFiles> {
  let off = false;
  let failures = 0;
  files.before = (operation) => {
    if (operation.number < at) return;
    if (kind === "power" || kind === "kill") {
      off = true;
      throw new PowerLoss();
    }
    const hit = kind === "full" ? operation.kind === "append" : operation.kind.startsWith("sync");
    // A full disk stays full for a while; a sync fails once, and what it was for is lost.
    if (!hit || failures >= (kind === "full" ? 4 : 1)) return;
    failures += 1;
    throw systemError(kind === "full" ? "ENOSPC" : "EIO");
  };
  try {
    const tiny = await open(files);
    await patientScript(tiny, { memory, still, off: () => off });
  } catch (error) {
    // A start that meets the fault ends; what a run does about it, patientScript holds to its codes.
    if (failures === 0 && !off) throw error;
  }
  if (kind !== "power") return files.restart("kill");
  return files.restart(survivors === undefined ? "drop" : new Random(survivors));
}

const survives = async (faults: readonly Fault[], still: Stillness, made = new MemoryFiles()) => {
  const memory = new Memory();
  let files = made;
  for (const one of faults) {
    const { lies } = files;
    files = await live(files, memory, still, one);
    files.lies = lies;
  }
  await holds(files, memory, still, JSON.stringify(faults));
};

test("A1, A2, A3: whatever the disk does, life after life, I1 and I2 hold", async () => {
  const lives = fc.array(fault, { minLength: 1, maxLength: 3 });
  const still = new Stillness(onTestFinished);
  await fc.assert(
    fc.asyncProperty(lives, (faults) => survives(faults, still)),
    { numRuns: 80 },
  );
}, 300_000); // on a machine that many share: no wait is for ever, since its time is virtual

test("A2, the control: on a disk that says it synced and did not, they do not hold", async () => {
  const lying = new MemoryFiles();
  lying.lies = true;
  const power: Fault = { kind: "power", at: 45, survivors: undefined };
  await expect(survives([power], new Stillness(onTestFinished), lying)).rejects.toThrow();
});

test("A2: a flipped bit anywhere is refused, or leaves a version that was published, with its hash", async () => {
  const files = new MemoryFiles();
  const memory = new Memory();
  const first = await open(files);
  await script(first, { memory, still: new Stillness(onTestFinished), off: () => false });
  await first.run.close();
  const { hashes } = await replayed(await told(files), memory);
  const paths: string[] = [];
  for (const shelf of ["journal", "snapshots", "diffs"]) {
    for (const name of await files.list(shelf)) paths.push(`${shelf}/${name}`);
  }
  let refused = 0;
  const flip = fc.record({
    path: fc.constantFrom(...paths),
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
    bit: fc.nat(7),
  });
  const opens = async ({ path, place, bit }: { path: string; place: number; bit: number }) => {
    const damaged = files.restart("kill");
    damaged.flip(path, Math.floor(place * (await damaged.read(path))!.length), bit);
    try {
      const again = await open(damaged);
      const { version, modelHash } = again.run.status();
      expect(modelHash).toBe(hashes[version]);
      await again.run.close();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      refused += 1;
    }
  };
  await fc.assert(fc.asyncProperty(flip, opens), { numRuns: 300 });
  expect(refused).toBeGreaterThan(0);
}, 300_000);
