import { describe, expect, it } from "vitest";
import { MemoryFiles, PowerLoss } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { TestVolunteer, tinyRun, tinySettings } from "../../test/harness/tiny-run.ts";
import { fileStore } from "../store/file-store.ts";
import { openRun, type Run } from "./run.ts";

const SETTINGS = tinySettings({ startPaused: true });

/** What a later start finds, which asks for nothing itself: the run, or undefined where none was begun. */
async function found(files: MemoryFiles): Promise<Run | undefined> {
  const store = await fileStore(files, memoryIndex(), { salt: () => 7 });
  if (store.length === 0 && (await store.get("run", "run.json")) === undefined) return undefined;
  const { settings: _, ...options } = (await tinyRun()).options;
  return openRun({ ...options, store });
}

/** Begins a run, with the power gone at operation `at`. */
async function beginUntil(at: number, settings: typeof SETTINGS): Promise<MemoryFiles | undefined> {
  const files = new MemoryFiles();
  let cut = false;
  files.before = ({ number }) => {
    if (number !== at) return;
    cut = true;
    throw new PowerLoss();
  };
  try {
    const { run } = await tinyRun({ files, settings });
    await run.close();
    return cut ? files : undefined;
  } catch (error) {
    if (!cut) throw error;
    return files;
  }
}

/** The states that starts after every possible cut find the run in. */
async function statesAfterCuts(settings: typeof SETTINGS): Promise<Set<string>> {
  const states = new Set<string>();
  for (let at = 0; ; at++) {
    const files = await beginUntil(at, settings);
    if (files === undefined) return states;
    for (const survivors of ["kill", "drop"] as const) {
      const run = await found(files.restart(survivors));
      states.add(run?.status().state ?? "none");
      await run?.close();
    }
  }
}

describe("a run that begins paused", () => {
  it("gives no work until it is started, and a restart does not start it", async () => {
    const volunteer = await TestVolunteer.create();
    const { run, files } = await tinyRun({ settings: SETTINGS });
    expect(run.status().state).toBe("paused");
    await expect(volunteer.ticket(run)).rejects.toMatchObject({ code: "run-paused" });
    await run.close();
    const again = await found(files);
    expect(again?.status().state).toBe("paused");
    await again?.admin.resume();
    await expect(volunteer.ticket(again!)).resolves.toBeDefined();
    await again?.close();
    const later = await found(files);
    expect(later?.status().state).toBe("running");
  });

  it("O5: is never found running, wherever the power went while it was made", async () => {
    expect(await statesAfterCuts(SETTINGS)).toEqual(new Set(["none", "paused"]));
    // The control: it is the setting that holds it back.
    expect(await statesAfterCuts(tinySettings())).toEqual(new Set(["none", "running"]));
  });
});
