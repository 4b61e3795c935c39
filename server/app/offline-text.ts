import { addText } from "../corpus/add.ts";
import { CorpusError } from "../corpus/error.ts";
import type { CorpusIndex } from "../corpus/index-file.ts";
import type { AddOptions } from "../corpus/options.ts";
import { namesIn } from "../data-dir/directory.ts";
import { LockedError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { creation } from "../run/recover.ts";
import { storedSettings } from "../run/settings.ts";
import { nodeFiles } from "../store/node-files.ts";
import { readOnlyStore } from "../store/read-only.ts";

/** Whether a directory has a run, to whose text more can be added. */
export const hasRun = async (directory: string): Promise<boolean> =>
  (await namesIn(directory)).includes("journal") && (await nodeFiles(directory).list("journal")).length > 0;

/**
 * Adds text to a run that no server has open: the next one takes it in. Throws a CorpusError, `in-use` while a server
 * has the directory.
 */
export async function addTextOffline(options: Omit<AddOptions, "context">): Promise<CorpusIndex> {
  const { dataDir } = options;
  const unlock = lock(dataDir);
  try {
    const { genesis } = await creation(await readOnlyStore(nodeFiles(dataDir)));
    return await addText({ ...options, context: storedSettings(genesis.settings).model.context });
  } finally {
    unlock();
  }
}

function lock(dataDir: string): () => void {
  try {
    return lockDirectory(dataDir);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new CorpusError(
      "in-use",
      `a server uses ${dataDir}: add the text on its operator's page, or stop it first`,
    );
  }
}
