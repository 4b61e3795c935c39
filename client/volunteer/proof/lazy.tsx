import { Lazy } from "../../ui/lazy.tsx";
import type { ProofLineProps } from "./props.ts";

const load = async () => (await import("./line.tsx")).ProofLine;

/** Fetched with the first delta that was sent: there is nothing to prove before. */
export function Proof(props: ProofLineProps) {
  return <Lazy wanted={props.trainer.sent.value !== undefined} load={load} props={props} />;
}
