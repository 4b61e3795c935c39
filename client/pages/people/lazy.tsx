import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { text } from "../strings.ts";
import type { PeopleProps } from "./props.ts";

/** Closed until the visitor opens it; only then is anything fetched for it. */
export function People(props: PeopleProps) {
  const open = useSignal(false);
  const Panel = useSignal<ComponentType<PeopleProps> | undefined>(undefined);
  return (
    <details
      class="card inside"
      onToggle={async (event) => {
        open.value = event.currentTarget.open;
        if (!open.value || Panel.value !== undefined) return;
        const { PeoplePanel } = await import("./people.tsx");
        Panel.value = PeoplePanel;
      }}
    >
      <summary>
        <h2>{text.people}</h2>
      </summary>
      <p class="note">{text.peopleHelp}</p>
      {open.value && Panel.value !== undefined && <Panel.value {...props} />}
    </details>
  );
}
