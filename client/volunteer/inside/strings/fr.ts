import { formatBytes, formatCount, formatFixed, plural } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "Il y aura quelque chose à voir dès que le premier passage sera lu.",
  lookNow: (version) => `La version ${formatCount(version)} lit\u00a0:`,
  attention: "À quoi il prête attention",
  attentionHelp:
    "Pour deviner ce qui suit un token, le modèle regarde en arrière. Choisissez un token\u00a0: plus un token précédent est marqué, " +
    "plus cette tête le regarde. Chaque couche a plusieurs têtes, et chacune apprend à chercher autre chose.",
  attentionLabel: "Tokens du passage\u00a0: les flèches choisissent lequel regarde en arrière",
  layer: "Couche",
  head: "Tête",
  attends: (token, seen, share) => `«\u202f${token}\u202f» regarde surtout «\u202f${seen}\u202f» (${share}).`,
  attentionMap: (layer, head) =>
    `Attention de la couche ${formatCount(layer)}, tête ${formatCount(head)}\u00a0: une ligne pour chaque token, une colonne pour chacun ` +
    "de ceux qu’il regarde.",
  tokenMap: "Où se trouvent les tokens",
  tokenMapHelp: (numbers, shows) =>
    `Pour le modèle, un token est un point de ${formatCount(numbers)} nombres. Les voici tous, aplatis sur les deux directions où ` +
    `ils diffèrent le plus (${shows} de toutes les différences). Les tokens aux usages semblables se rapprochent à mesure qu’il ` +
    "apprend.",
  tokenMapLabel: (tokens) =>
    `Une carte de ${plural(tokens, "token", "tokens")}\u202f; ceux du passage sont nommés.`,
  nearest: (token) => `Les plus proches de «\u202f${token}\u202f»\u00a0:`,
  delta: "Ce qui a été envoyé",
  deltaWait: "Le premier delta n’a pas encore été envoyé.",
  deltaHelp: (steps, parameters) =>
    `Un delta dit de combien chacun des ${formatCount(parameters)} nombres du modèle a bougé en ` +
    `${plural(steps, "étape", "étapes")} d’entraînement.`,
  deltaRatio: (ratio, changed) =>
    `En tout, il fait ${ratio} de la taille des poids, et ${changed} d’entre eux changent un tant soit peu.`,
  deltaBytes: (bytes, plain) =>
    `${formatBytes(bytes)} ont été envoyés au lieu de ${formatBytes(plain)}\u00a0: ${formatFixed(plain / bytes, 1)} fois moins. Ce que ` +
    "l’arrondi a laissé de côté est gardé ici et ajouté au prochain delta.",
  deltaBars: (largest) =>
    `Combien de poids ont bougé, et de combien, de −${largest} à gauche, en passant par zéro, à +${largest}.`,
};
