import { useSignal, useSignalEffect } from "@preact/signals";
import { fetchWords } from "../../language/current.ts";
import { LazyPanel } from "../../ui/lazy-panel.tsx";
import type { TrainerHandle } from "../session/worker-client.ts";
import { text } from "../strings.ts";
import { insideStrings } from "./strings.ts";

/** While it is open, each new passage and each delta sent is inspected; before, nothing is computed for it. */
export function LookInside({ trainer }: { readonly trainer: TrainerHandle }) {
  const open = useSignal(false);
  const load = async () => {
    const [{ InsidePanel }] = await Promise.all([import("./panel.tsx"), fetchWords(insideStrings)]);
    return InsidePanel;
  };

  useSignalEffect(() => {
    trainer.passage.value;
    trainer.sent.value;
    if (open.value) trainer.look();
  });

  return <LazyPanel title={text.look} help={text.lookHelp} open={open} load={load} props={{ trainer }} />;
}
