import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Sample } from "../../protocol/status.ts";
import { prefersReducedMotion } from "../ui/canvas-style.ts";
import { words } from "./strings.ts";

/** Words shown, and how long the window stays at each. */
const SHOWN = 16;
const WORD_FOR_MS = 1_100;
/** Where it stands when nothing may move. */
const STILL = 7;

/** The next-word question walking along a line that the run's model wrote. A model's words: text nodes. */
export function TextWindow({ sample }: { readonly sample: Sample }) {
  const place = useSignal(STILL);
  const shown = sample.text.trim().split(/\s+/).slice(0, SHOWN);
  useEffect(() => {
    if (prefersReducedMotion()) return;
    const timer = setInterval(() => {
      place.value++;
    }, WORD_FOR_MS);
    return () => clearInterval(timer);
  }, []);
  if (shown.length < 3) return null;
  const at = 1 + (place.value % (shown.length - 1));
  return (
    <figure class="question">
      {/* A screen reader hears the caption; a line that changes every second would only be noise. */}
      <p aria-hidden="true">
        <span class="seen">{shown.slice(0, at).join(" ")}</span> <span class="asked">{shown[at]}</span>{" "}
        <span class="unseen">{shown.slice(at + 1).join(" ")}</span>
      </p>
      <figcaption>{words.textWindow(sample.version)}</figcaption>
    </figure>
  );
}
