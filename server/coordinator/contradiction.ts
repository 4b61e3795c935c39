import type { Event } from "./events.ts";

/** The error for an event that no shell writes and no sound journal holds. */
export const contradiction = (event: Event, why: string) =>
  new Error(`the journal contradicts itself at a "${event.type}" event: ${why}`);
