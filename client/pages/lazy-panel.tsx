import { type Signal, useSignal } from "@preact/signals";
import type { ComponentType } from "preact";

export interface LazyPanelProps<Props> {
  readonly title: string;
  /** What opening it brings. */
  readonly help: string;
  /** Whether the visitor has it open. */
  readonly open: Signal<boolean>;
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}

/** Closed until the visitor opens it; only then is anything fetched for it. */
export function LazyPanel<Props extends object>({ title, help, open, load, props }: LazyPanelProps<Props>) {
  const Panel = useSignal<ComponentType<Props> | undefined>(undefined);
  return (
    <details
      class="card inside"
      onToggle={async (event) => {
        open.value = event.currentTarget.open;
        if (!open.value || Panel.value !== undefined) return;
        Panel.value = await load();
      }}
    >
      <summary>
        <h2>{title}</h2>
      </summary>
      <p class="note">{help}</p>
      {open.value && Panel.value !== undefined && <Panel.value {...props} />}
    </details>
  );
}
