/** Tags whose loader has run: a second one of the same page is another. */
const RAN = "murmurationRan";

/**
 * The tag that this script came by. A module's, or one whose site runs scripts in its own way, does not say who it is:
 * then it is the first with the loader's address that has not run yet.
 */
export function ownTag(page: Document): HTMLScriptElement | undefined {
  const { currentScript } = page;
  const named = [...page.querySelectorAll<HTMLScriptElement>("script[src]")].filter(({ src }) =>
    /\/embed\.js$/.test(src.replace(/[?#].*/, "")),
  );
  const current =
    currentScript instanceof HTMLScriptElement && currentScript.src !== "" ? currentScript : undefined;
  const own = current ?? named.find(({ dataset }) => !(RAN in dataset)) ?? named[0];
  if (own !== undefined) own.dataset[RAN] = "";
  return own;
}

/**
 * Puts the element beside its tag; where no visitor would see it there (in the head, or in no document at all), at the end
 * of the page, as soon as there is one.
 */
export function place(tag: HTMLScriptElement): void {
  const { body } = document;
  if (body === null) document.addEventListener("DOMContentLoaded", () => place(tag), { once: true });
  else if (document.querySelector("murmuration-swarm") !== null) {
    if (tag.dataset.label !== undefined)
      console.info("murmuration: no button for this tag, since the page has a <murmuration-swarm> already");
  } else {
    const element = document.createElement("murmuration-swarm");
    for (const [name, value] of Object.entries(tag.dataset)) {
      if (name !== RAN) element.setAttribute(name, value ?? "");
    }
    if (body.contains(tag)) tag.after(element);
    else {
      body.append(element);
      console.info(
        "murmuration: the button is at the end of the page, since its tag is not in the body; a <murmuration-swarm> puts it elsewhere",
      );
    }
  }
}
