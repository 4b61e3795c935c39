import { fetchWords } from "../../language/current.ts";
import { Lazy } from "../../ui/lazy.tsx";
import type { ProofLineProps } from "./props.ts";
import { proofStrings } from "./strings.ts";

const load = async () => {
  const [{ ProofLine }] = await Promise.all([import("./line.tsx"), fetchWords(proofStrings)]);
  return ProofLine;
};

/** Fetched with the first delta that was sent: there is nothing to prove before. */
export function Proof(props: ProofLineProps) {
  return <Lazy wanted={props.trainer.sent.value !== undefined} load={load} props={props} />;
}
