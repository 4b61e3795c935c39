import { useSignal } from "@preact/signals";
import { LazyPanel } from "../../ui/lazy-panel.tsx";
import { text } from "../strings.ts";
import type { PeopleProps } from "./props.ts";

/** Names, and what the server holds about the visitor. */
export function People(props: PeopleProps) {
  const open = useSignal(false);
  const load = async () => (await import("./names-panel.tsx")).PeoplePanel;
  return <LazyPanel title={text.people} help={text.peopleHelp} open={open} load={load} props={props} />;
}
