import {
  formatBytes,
  formatLarge,
  formatLoss,
  formatPart,
  formatProbability,
  plural,
} from "../../ui/format.ts";
import type { LobbyWords } from "./en.ts";

export const words: LobbyWords = {
  title: "Que voulez-vous aider à entraîner\u202f?",
  lead:
    "Chacun de ces projets est un modèle de langue que de nombreux navigateurs entraînent ensemble. Choisissez-en un\u00a0: sa page dit " +
    "ce qui s’exécuterait sur votre machine, et vous demande avant de faire quoi que ce soit.",
  loading: "On interroge le serveur sur ses projets…",
  away: "Le serveur ne répond pas. Ce qui est affiché est peut-être ancien\u202f; cette page continue d’essayer.",
  none: "Il n’y a pas encore de projet ici.",
  noneHelp: "Si ce serveur est à vous, créez-en un sur la page de l’exploitant.",
  operator: "Page de l’exploitant",
  by: (who) => `par ${who}`,
  noPurpose: "Son exploitant n’a pas dit à quoi il sert.",
  mostHelp: "C’est ici que vous aideriez le plus en ce moment",
  anywhere: "Là où j’aide le plus",
  anywhereHelp:
    "Acceptez une fois. Le serveur vous envoie alors vers le projet où, selon sa propre mesure, un navigateur de plus aide le plus. Si un autre projet a bien plus besoin de vous, il vous y amène et le dit.",
  anywhereAsk: "Aider partout…",
  anywhereRuns: "Vous accepteriez d’aider chacun de ces projets\u00a0:",
  anywhereCost: (first) => `(${formatBytes(first)} la première fois qu’il est choisi)`,
  anywhereWhat:
    "Votre navigateur entraîne dans cette page, à mi-vitesse, tant qu’elle est ouverte. Il télécharge le modèle et le texte d’un projet. Il envoie des modifications du modèle, sous une autre clé aléatoire pour chaque projet, et jamais rien de vous. Il change au plus toutes les quelques minutes, entre deux travaux. La page de chaque projet en dit plus et a les réglages\u202f; un bouton y met fin à cela. Les projets créés plus tard vous demanderont séparément.",
  anywhereAgree: "Accepter et commencer l’entraînement",
  anywhereNot: "Pas maintenant",
  anywhereFailed:
    "Ce navigateur ne garde rien pour ce site et n’a pas pu retenir votre accord. Choisissez plutôt un projet ci-dessous.",
  state: { running: "En cours", paused: "En pause", finished: "Terminé" },
  howFar: "Avancement",
  ofBudget: (part, budget) => `${formatProbability(Math.min(1, part))} de ${formatLarge(budget)} tokens`,
  loss: "Perte",
  notMeasured: "pas encore mesurée",
  here: "Présents",
  hereCount: (volunteers) => (volunteers === 0 ? "personne" : plural(volunteers, "bénévole", "bénévoles")),
  oneMore: "Un navigateur de plus",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "attend que cela reprenne";
    if (part !== null) return `fait avancer chaque version de ${formatPart(part)}`;
    return volunteers === 0 ? "le remet en route" : "aide\u202f; on n’a pas encore mesuré combien";
  },
  cost: "Ce que cela coûte",
  costOf: (first, up, down) =>
    `${formatBytes(first)} une fois, puis environ ${formatBytes(up)} envoyés et ${formatBytes(down)} reçus par tour`,
  size: "Modèle",
  parameters: (count) => `${formatLarge(count)} paramètres`,
  look: "Voir et participer",
  lookAt: (name) => `Voir et participer\u00a0: ${name}`,
  status: "État",
  statusOf: (name) => `État de ${name}`,
  archive: "Terminés",
  archiveLead: "Ces projets sont arrivés au bout. Ce qu’ils ont fait reste ici, pour tout le monde.",
  thanks: (deltas) =>
    deltas === 0
      ? "Il ne contient le travail de personne."
      : `Fait de ${plural(deltas, "morceau", "morceaux")} de travail de bénévoles. Merci.`,
  made: (version, parameters, loss) =>
    `${plural(version, "version", "versions")}, ${formatLarge(parameters)} paramètres. ${loss}.`,
  nats: (loss) => `${formatLoss(loss)} nats`,
  download: "Télécharger le modèle",
  downloadOf: (name) => `Télécharger le modèle de ${name}`,
  wrote: "Ce qu’il écrivait à la fin",
  record: "La preuve de la dernière version\u00a0: son acte signé",
  recordOf: (name) => `La preuve de la dernière version, son acte signé\u00a0: ${name}`,
  curve: "Sa courbe et ses bénévoles",
  curveOf: (name) => `Sa courbe et ses bénévoles\u00a0: ${name}`,
  curveSummary: (from, to) => `La perte est passée de ${from} à ${to}`,
};
