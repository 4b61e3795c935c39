import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "On interroge le serveur…",
  none: "Il n’y a pas de page de bénévole à cette adresse. La personne qui en avait une l’a peut-être retirée.",
  away: "Le serveur ne répond pas. Rechargez la page dans un moment.",
  lead: "Une personne bénévole, dont le navigateur entraîne un modèle de langue avec beaucoup d’autres.",
  tokens: "Tokens dans le modèle",
  recent: "Envoyés ces dernières 24 heures",
  merged: "Deltas intégrés",
  keys: (keys) => `De ${formatCount(keys)} navigateurs, dont les clés sont liées.`,
  proofs: "Preuves",
  proofsHelp:
    "Les deltas les plus récents qui sont dans le modèle. Chacun mène à l’acte que le serveur a signé en l’intégrant. Votre navigateur " +
    "peut vérifier lui-même les signatures.",
  noProofs: "Aucun delta de cette personne n’est encore dans le modèle.",
  check: "Les vérifier ici",
  checking: "Vérification…",
  hold: (of) =>
    `Les ${formatCount(of)} tiennent\u00a0: le serveur a signé que ces deltas sont dans le modèle.`,
  broken: (hold, of) =>
    `Seuls ${formatCount(hold)} sur ${formatCount(of)} tiennent. Le serveur ne répond pas des autres.`,
  teamLead: "Une équipe de bénévoles, dont les navigateurs entraînent ensemble un modèle de langue.",
  members: "Personnes",
  people: "Qui a un nom",
  peopleHelp: "Les membres qui ont choisi un nom. Les autres comptent aussi.",
  peopleColumns: ["Nom", "Tokens"],
  columns: ["Version", "Tokens", "Delta"],
};
