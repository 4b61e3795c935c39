/** What a worker may take off the server that leads. */
export const TASKS = ["audits", "evaluations", "merges"] as const;
export type WorkerTask = (typeof TASKS)[number];
