import type { TrainerHandle } from "../trainer.ts";
import type { RunWatch } from "../watch.ts";

/** What the line about proofs looks at. */
export interface ProofLineProps {
  readonly trainer: TrainerHandle;
  readonly watch: RunWatch;
}
