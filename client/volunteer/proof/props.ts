import type { RunWatch } from "../../ui/watch.ts";
import type { TrainerHandle } from "../session/worker-client.ts";

/** What the line about proofs looks at. */
export interface ProofLineProps {
  readonly trainer: TrainerHandle;
  readonly watch: RunWatch;
}
