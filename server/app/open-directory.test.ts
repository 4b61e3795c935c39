import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { prose, temporary } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { addCorpus } from "../corpus/add.ts";
import { directoryTarget } from "../mirror/directory-target.ts";
import { Mirror } from "../mirror/mirror.ts";
import { parseSettings } from "../run/settings.ts";
import { openDirectory } from "./open-directory.ts";

const settings = parseSettings({ model: { layers: 1, heads: 1, width: 8, context: 16 }, batch: 1, steps: 1 });

test("a run is not opened with another run's mirror, and says so: its own can be opened after that", async () => {
  await using held = await temporary();
  const directory = held.path;
  const place = join(directory, "mirror");
  const served = async (name: string, at: string) => {
    const mirror = new Mirror({
      ...{ url: "https://cdn.example/run", log: silentLog, clock: () => performance.now() },
      target: await directoryTarget(at),
    });
    return openDirectory(join(directory, name), { settings, log: silentLog, stderr: { write() {} }, mirror });
  };
  const text = join(directory, "text.txt");
  await writeFile(text, prose(15_000));
  for (const name of ["one", "two"])
    await addCorpus({ files: [text], dataDir: join(directory, name), vocabulary: 256, context: 16 });
  const one = await served("one", place);
  one.run?.tick();
  await one.close();
  await expect(served("two", place)).rejects.toThrow(/is the mirror of another run/);
  const two = await served("two", join(directory, "another"));
  expect(two.run?.status().version).toBe(0);
  await two.close();
});
