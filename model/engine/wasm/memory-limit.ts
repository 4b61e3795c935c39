import { ADDRESSABLE } from "./device.ts";

/** Bytes that a thread takes where the model fits: it leaves the browser of a phone room to breathe. */
export const USUAL_MEMORY = 1024 ** 3;

/** What a browser tells about its machine; Node and Firefox tell no memory. */
export interface Host {
  readonly userAgent?: string;
  /** GiB, rounded, and never more than 8 in older browsers. */
  readonly deviceMemory?: number;
}

/**
 * Bytes that a model which does not fit the usual limit may take: half of the machine's memory, as far as addresses reach.
 * Where nobody says how much that is, a phone keeps to the usual limit and a larger machine tries: memory that cannot be had
 * is refused when it is asked for, before anything is trained.
 */
export function memoryFor(host: Host | undefined): number {
  const { userAgent = "", deviceMemory } = host ?? {};
  if (deviceMemory !== undefined)
    return Math.min(ADDRESSABLE, Math.max(USUAL_MEMORY, deviceMemory * 2 ** 29));
  return /Mobi|Android|iPhone|iPad/.test(userAgent) ? USUAL_MEMORY : ADDRESSABLE;
}
