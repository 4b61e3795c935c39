/** What canvases need to know of the style sheet. */

export const prefersReducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The colour a custom property stands for on an element, as canvases understand it. */
export function colourOf(element: Element, property: `--${string}`): string {
  return getComputedStyle(element).getPropertyValue(property).trim();
}
