import type { AskWish, Theme, ToFrame } from "./messages.ts";

/** What an element's attributes say to its frame; `ask` is how, where the site lets visitors ask the model. */
export const setupOf = (
  element: HTMLElement,
  ask: AskWish,
): Omit<Extract<ToFrame, { type: "setup" }>, "murmuration"> => ({
  type: "setup",
  theme: readTheme(element.getAttribute("theme")),
  share: readShare(element.getAttribute("share")),
  budget: readBudget(element.getAttribute("budget")),
  language: element.getAttribute("lang"),
  ask: element.hasAttribute("ask") ? ask : undefined,
});

function readTheme(theme: string | null): Theme {
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Part of the time to train. A quarter unless the site says otherwise: its visitors came for something else. */
function readShare(text: string | null): number {
  const share = Number(text ?? 0.25);
  return share >= 0.1 && share <= 1 ? share : 0.25;
}

/** "50MB" → 50,000,000; null for no bound. What cannot be read is taken for the least: it was meant to bound. */
function readBudget(text: string | null): number | null {
  if (text === null) return null;
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*(k|M|G)?B?\s*$/i.exec(text) ?? [];
  if (amount === undefined) return 0;
  return Number(amount) * 1_000 ** " kmg".indexOf((unit ?? " ").toLowerCase());
}
