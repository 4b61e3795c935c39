import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `Aider à entraîner «\u202f${run}\u202f», pour ${operator === "" ? host : `${operator} (${host})`}\u202f?`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `Un modèle de langue de ${formatLarge(parameters)} paramètres s’entraîne dans ce cadre, pendant environ ` +
    `${formatProbability(share)} du temps de cet appareil, tant que cette page est ouverte, jusqu’à ce qu’il ait appris de ` +
    `${formatLarge(tokenBudget)} tokens. Votre navigateur envoie les modifications de ses poids, avec une clé ` +
    "aléatoire, leur perte, le type d’appareil et l’adresse de ce site. Il n’envoie jamais vos fichiers, ni ce que vous faites " +
    "ici. Le serveur voit votre adresse internet." +
    (audits
      ? " De temps en temps, il vérifie la modification du modèle faite par une autre personne, sans apprendre de qui elle vient."
      : ""),
  budget: (budget, down) =>
    ` Il télécharge environ ${formatBytes(down)} pour commencer` +
    (budget === null ? "." : `, et s’arrête à ${formatBytes(budget)} de trafic par jour.`),
  licence: (licence) => ` La licence du modèle\u00a0: ${licence}.`,
  agree: "Oui, je participe",
  refuse: "Non merci",
  asking: "On demande au visiteur.",
  revoke: "M’oublier",
  ask: "Essayer le modèle",
  about: "Qu’est-ce que c’est\u202f?",
};
