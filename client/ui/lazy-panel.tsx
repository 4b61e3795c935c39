import type { Signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { Lazy } from "./lazy.tsx";

export interface LazyPanelProps<Props> {
  readonly title: string;
  /** The panel's content, loaded when it is opened. */
  readonly help: string;
  /** Whether the visitor has it open. */
  readonly open: Signal<boolean>;
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}

/** Closed until the visitor opens it; only then is anything fetched for it. */
export function LazyPanel<Props extends object>({ title, help, open, load, props }: LazyPanelProps<Props>) {
  return (
    <details
      class="card inside"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        <h2>{title}</h2>
      </summary>
      <p class="note">{help}</p>
      <Lazy wanted={open.value} load={load} props={props} />
    </details>
  );
}
