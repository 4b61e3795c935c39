import type { RunCorpus } from "../run/options.ts";
import type { Run } from "../run/run.ts";
import type { MirrorSource } from "./mirror.ts";

/** A run as its mirror sees it. */
export const mirrorSource = (
  run: Run,
  { train, added = () => [] }: Pick<RunCorpus, "train" | "added">,
): MirrorSource => ({
  run: run.manifest().run,
  shards: () => [...train, ...added().flatMap((text) => text.train)].map(({ hash }) => hash),
  keepDiffs: run.keepDiffs,
  newest: () => run.manifest(),
  object: run.object,
  sign: run.sign,
});
