import { hostname } from "node:os";

/** This process, for people: which machine it is on, and its id there. */
export const processName = (): string => `${hostname()}:${process.pid}`;
