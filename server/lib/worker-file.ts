import { extname } from "node:path";

/** A worker's file beside the one that starts it, as source (.ts) or as built (.js). `here` is `import.meta.url`. */
export const workerBeside = (here: string, name: string): URL =>
  new URL(`./${name}${extname(new URL(here).pathname)}`, here);
