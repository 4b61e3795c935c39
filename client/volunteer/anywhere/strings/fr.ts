import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Là où vous aidez le plus",
  chosen: "Le serveur a choisi cet entraînement : un navigateur de plus aide le plus ici en ce moment.",
  movedFrom: (run) =>
    `Le serveur vous a amené ici depuis « ${run} » : un navigateur de plus aide le plus ici en ce moment.`,
  on: "Vous aidez là où vous aidez le plus : entre deux travaux, le serveur peut vous amener à un autre entraînement.",
  end: "Rester ici désormais",
  ended: "Vous restez ici. Les autres entraînements de ce serveur vous demanderont à nouveau.",
  lobby: "Tous les entraînements de ce serveur",
};
