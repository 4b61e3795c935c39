/** Colours and fonts of the style sheet, for canvases. */

export const prefersReducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The colour a custom property stands for on an element, as canvases understand it. */
export function colourOf(element: Element, property: `--${string}`): string {
  return getComputedStyle(element).getPropertyValue(property).trim();
}
