import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Là où vous aidez le plus",
  chosen:
    "Le serveur a choisi ce projet\u00a0: c’est ici qu’un navigateur de plus aide le plus en ce moment.",
  movedFrom: (run) =>
    `Le serveur vous a amené ici depuis «\u202f${run}\u202f»\u00a0: c’est ici qu’un navigateur de plus aide le plus en ce moment.`,
  on: "Vous avez accepté d’aider là où vous aidez le plus\u00a0: entre deux travaux, le serveur peut vous amener à un autre projet.",
  end: "Rester ici désormais",
  ended: "Vous restez ici. Les autres projets de ce serveur vous demanderont à nouveau.",
  lobby: "Tous les projets de ce serveur",
};
