import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { LanguageSwitch } from "../../ui/language-switch.tsx";
import { words } from "./strings.ts";

interface LoadedProps<T> {
  /** Undefined where there is none. */
  readonly load: () => Promise<T | undefined>;
  readonly children: (found: T) => ComponentChildren;
}

/** A page about one thing with a name, which the server is asked for. */
export function Loaded<T extends { readonly name: string }>({ load, children }: LoadedProps<T>) {
  const found = useSignal<T | "none" | "away" | undefined>(undefined);
  useEffect(() => {
    load().then(
      (value) => {
        found.value = value ?? "none";
        if (value !== undefined) document.title = words.title(value.name);
      },
      () => {
        found.value = "away";
      },
    );
  }, []);
  const now = found.value;
  return (
    <main>
      <div class="top">
        <p class="wordmark">
          <a href="./">{words.back}</a>
        </p>
        <LanguageSwitch />
      </div>
      {now === undefined ? (
        <p class="wait">{words.loading}</p>
      ) : now === "none" || now === "away" ? (
        <p role="status">{now === "none" ? words.none : words.away}</p>
      ) : (
        children(now)
      )}
    </main>
  );
}
