import { effect } from "@preact/signals";
import { render, type VNode } from "preact";
import type { Catalogue } from "../language/catalogue.ts";
import { firstLanguage, language, markDocument, speak } from "../language/current.ts";
import { browserStorage } from "./browser-storage.ts";
import { fetchPart } from "./fetch-part.ts";
import { commonStrings } from "./strings.ts";
import { setTextsWhole } from "./whole-text.ts";

setTextsWhole(); // before any page makes its first element

/**
 * Shows a page in the visitor's language, once its strings are there. `wished` is the language of the page around it, for
 * a visitor who has not chosen here. Rejects where not even the English strings come: the HTML's own words then stay.
 */
export async function mount(view: VNode, strings: readonly Catalogue[], wished?: string): Promise<void> {
  const first = firstLanguage(browserStorage(), [wished, ...navigator.languages]);
  const all = [commonStrings, ...strings];
  await fetchPart(() => speak(first, all).catch(() => speak("en", all)));
  effect(() => markDocument(document, language.value));
  show(view);
}

/** Shows a page that is in English alone: those of operators and developers. */
export async function mountEnglish(view: VNode): Promise<void> {
  await fetchPart(() => speak("en", [commonStrings]));
  show(view);
}

/** In its document's place for it. */
function show(view: VNode): void {
  const place = document.getElementById("page");
  if (place === null) return;
  place.replaceChildren(); // what the HTML says as long as no script has come
  render(view, place);
}
