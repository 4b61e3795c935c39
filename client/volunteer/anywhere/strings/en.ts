import type { Words } from "../../../language/catalogue.ts";

/** Strings about being moved to where one helps most. */
export const words = {
  title: "Where you help most",
  chosen: "The server chose this run: one more browser helps most here just now.",
  movedFrom: (run: string) =>
    `The server moved you here from “${run}”: one more browser helps most here just now.`,
  on: "You agreed to help where you help most: the server may move you to another run, between two pieces of work.",
  end: "Stay here from now on",
  ended: "You stay here. Other runs of this server ask you again.",
  lobby: "All runs of this server",
} as const;

export type AnywhereWords = Words<typeof words>;
