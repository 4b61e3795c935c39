import type { RunWatch } from "../../ui/watch.ts";
import type { TrainerHandle } from "../session/worker-client.ts";

/** Inputs of the line about proofs. */
export interface ProofLineProps {
  readonly trainer: TrainerHandle;
  readonly watch: RunWatch;
}
