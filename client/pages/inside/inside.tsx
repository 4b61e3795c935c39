import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import { text } from "../strings.ts";
import type { TrainerHandle } from "../trainer.ts";

interface PanelProps {
  readonly trainer: TrainerHandle;
}

/**
 * Closed until the visitor opens it; only then is anything computed or fetched for it. While it is open, each
 * new passage and each delta sent is looked at anew.
 */
export function LookInside({ trainer }: PanelProps) {
  const open = useSignal(false);
  const Panel = useSignal<ComponentType<PanelProps> | undefined>(undefined);

  useSignalEffect(() => {
    trainer.passage.value;
    trainer.sent.value;
    if (open.value) trainer.look();
  });

  return (
    <details
      class="card inside"
      onToggle={async (event) => {
        open.value = event.currentTarget.open;
        if (!open.value || Panel.value !== undefined) return;
        const { InsidePanel } = await import("./panel.tsx");
        Panel.value = InsidePanel;
      }}
    >
      <summary>
        <h2>{text.look}</h2>
      </summary>
      <p class="note">{text.lookHelp}</p>
      {open.value && Panel.value !== undefined && <Panel.value trainer={trainer} />}
    </details>
  );
}
