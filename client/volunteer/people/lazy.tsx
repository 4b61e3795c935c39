import { useSignal } from "@preact/signals";
import { fetchWords } from "../../language/current.ts";
import { LazyPanel } from "../../ui/lazy-panel.tsx";
import { text } from "../strings.ts";
import type { PeopleProps } from "./props.ts";
import { peopleStrings } from "./strings.ts";

/** Names, and what the server holds about the visitor. */
export function People(props: PeopleProps) {
  const open = useSignal(false);
  const load = async () => {
    const [{ PeoplePanel }] = await Promise.all([import("./names-panel.tsx"), fetchWords(peopleStrings)]);
    return PeoplePanel;
  };
  return <LazyPanel title={text.people} help={text.peopleHelp} open={open} load={load} props={props} />;
}
