import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import type { ProofLineProps } from "./props.ts";

/** Fetched with the first delta that was sent: there is nothing to prove before. */
export function Proof(props: ProofLineProps) {
  const Line = useSignal<ComponentType<ProofLineProps> | undefined>(undefined);
  useSignalEffect(() => {
    if (props.trainer.sent.value === undefined || Line.peek() !== undefined) return;
    void import("./line.tsx").then(({ ProofLine }) => {
      Line.value = ProofLine;
    });
  });
  return Line.value === undefined ? null : <Line.value {...props} />;
}
