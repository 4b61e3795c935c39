import { render, type VNode } from "preact";
import { setTextsWhole } from "./whole-text.ts";

setTextsWhole(); // before any page makes its first element

/** Shows a page in its document's place for it. */
export function mount(view: VNode): void {
  const place = document.getElementById("page");
  if (place === null) return;
  place.replaceChildren(); // what the HTML says as long as no script has come
  render(view, place);
}
