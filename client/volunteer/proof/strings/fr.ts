import { formatCount, formatPart, plural } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "Quand votre travail fera partie d’une version du modèle, la preuve en apparaîtra ici.",
  proven: (version) => `Prouvé\u00a0: votre travail fait partie de la version ${formatCount(version)}.`,
  meaning: ({ version, place, of, share }) =>
    `Le serveur a signé que la version ${formatCount(version)} est faite de ${plural(of, "delta", "deltas")}, et que le vôtre est le ` +
    `numéro ${formatCount(place)}, avec ${formatPart(share)} du poids. Cette page a vérifié la signature. L’acte de chaque version ` +
    "nomme celui d’avant, le serveur ne peut donc pas revenir dessus en silence.",
  delta: "L’empreinte de votre delta (SHA-256)\u00a0:",
  record: (version) => `L’acte de la version ${formatCount(version)}, tel que signé`,
  broken:
    "La preuve du serveur pour votre travail n’a pas tenu\u00a0: sa signature n’est pas celle du début de ce projet, ou elle nomme un " +
    "autre travail que le vôtre. Vous voudrez peut-être arrêter.",
};
