/** The npm entry: the element and its types, for pages that bundle their scripts. */
export { defineSwarm } from "./element.ts";
export type { SwarmElement, SwarmEvents, SwarmStatus, Theme } from "./messages.ts";

import type { SwarmElement } from "./messages.ts";

declare global {
  interface HTMLElementTagNameMap {
    "murmuration-swarm": SwarmElement;
  }
}
