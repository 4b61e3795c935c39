import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { fetchWords } from "../../language/current.ts";
import { LazyPanel } from "../../ui/lazy-panel.tsx";
import { text } from "../strings.ts";
import { takeCode } from "./code-link.ts";
import type { PeopleProps } from "./props.ts";
import { peopleStrings } from "./strings.ts";

/** Names, and what the server holds about the visitor. */
export function People(props: PeopleProps) {
  const code = useSignal<string | undefined>(undefined);
  const open = useSignal(false);
  const load = async () => {
    const [{ PeoplePanel }] = await Promise.all([import("./names-panel.tsx"), fetchWords(peopleStrings)]);
    return PeoplePanel;
  };
  useEffect(() => {
    const look = () => {
      const found = takeCode();
      if (found === undefined) return;
      code.value = found;
      open.value = true;
    };
    look();
    addEventListener("hashchange", look); // a link to the page that is open already loads nothing
    return () => removeEventListener("hashchange", look);
  }, []);
  return (
    <LazyPanel
      title={text.people}
      help={text.peopleHelp}
      open={open}
      load={load}
      props={{ ...props, code: code.value }}
    />
  );
}
