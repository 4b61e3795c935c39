import { perform } from "./perform.ts";

/** Called by hosts.ts from outside the page. */
declare global {
  var takeTurn: typeof perform;
}
globalThis.takeTurn = perform;
