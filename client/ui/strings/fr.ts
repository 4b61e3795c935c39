import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability, plural } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "Langue",
  languageMissing: "Les textes de cette langue n’ont pas pu être chargés.",
  loading: "On interroge le serveur sur son projet…",
  serverAway: "Le serveur ne répond pas. Cette page continue d’essayer.",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "Quelque chose entre vous et le serveur détourne les requêtes\u00a0: ",
      answered: (status) => `Quelque chose entre vous et le serveur a répondu ${status}\u00a0: `,
      advice: {
        "too-large":
          "un proxy laisse passer moins que ce que le serveur accepte. Son exploitant doit relever la limite (nginx\u00a0: client_max_body_size).",
        "headers-too-large":
          "un proxy n’accepte pas des en-têtes de cette taille. Effacez les cookies de ce site\u202f; si cela n’aide pas, son exploitant doit relever la limite (nginx\u00a0: large_client_header_buffers).",
        forbidden:
          "un proxy, un pare-feu ou ce réseau interdit la requête. Son exploitant doit laisser passer les chemins sous /api/\u202f; sur un réseau qui demande une connexion, connectez-vous d’abord.",
        "not-found":
          "un proxy envoie cette adresse ailleurs. Vérifiez l’adresse\u202f; son exploitant doit transmettre tous les chemins sous celle du serveur.",
        "too-many": "un proxy laisse passer moins de requêtes. Son exploitant doit relever la limite.",
        gateway:
          "le proxy est là, mais le serveur derrière lui ne lui répond pas. Son exploitant doit le démarrer, ou corriger son adresse dans le proxy.",
        status:
          "la réponse ne vient pas du serveur lui-même. Son exploitant en trouvera la raison dans le journal du proxy.",
        page: "une page web est arrivée à la place d’une réponse. Sur un réseau qui demande une connexion, connectez-vous\u202f; sinon, vérifiez l’adresse.",
        redirect:
          "la réponse était une redirection. Sur un réseau qui demande une connexion, connectez-vous\u202f; sinon, utilisez l’adresse à laquelle elle mène.",
        certificate:
          "Le certificat du serveur n’est pas valable\u00a0: il a expiré, il est fait pour un autre nom, ou personne en qui cet appareil a confiance ne l’a signé. Son exploitant doit le renouveler.",
        "unknown-host": "Le nom du serveur n’est pas connu ici. Vérifiez l’adresse et le réseau.",
        refused:
          "Rien n’écoute à l’adresse du serveur. Vérifiez l’adresse et son port, ou démarrez le serveur.",
        unreachable: "Le serveur ne répond pas.",
      },
    }),
  keepsTrying: (what) => `${what} Cette page continue d’essayer.`,
  noRun: "Ce serveur n’a pas encore de projet.",
  mismatch:
    "Cette page et le serveur parlent des versions différentes du protocole, et recharger n’a rien changé. Le serveur vient " +
    "sans doute d’être mis à jour\u00a0: réessayez dans une minute.",
  retry: "Réessayer",
  reload: "Recharger la page",
  partMissing:
    "Cette partie n’a pas pu être chargée. La connexion a peut-être échoué, quelque chose la bloque, ou cette page est plus " +
    "ancienne que celle du serveur.",
  guess: "Il attendait",
  truth: "Le texte dit",
  right: "Juste",
  wrong: "Manqué",
  verdict: (what, chance) => `${what}. ${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `Il donnait au bon environ 1 chance sur ${formatCount(1 / probability)}.`
      : `Il donnait au bon ${formatProbability(probability)} de chances.`,
  sampleOf: (version) => `Écrit par la version ${formatCount(version)}, sans retouche.`,
  sampleEarly: "Avant",
  sampleNow: "Maintenant",
  samplePick: "Comparer avec la version",
  sampleWait: "Il n’a encore rien écrit.",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `${formatBits(bits)} bits par octet`;
  },
  chartWait: "La première mesure est en route.",
  chartPoint: (version, loss, bits, tokens) =>
    `Version ${formatCount(version)}\u00a0: ${formatLoss(loss)} nats${bits === "" ? "" : ` (${bits})`} après ` +
    `${formatLarge(tokens)} tokens`,
  chartSummary: (from, to, versions) =>
    `En ${plural(versions, "version", "versions")}, la perte sur le texte réservé est passée de ${formatLoss(from)} à ` +
    `${formatLoss(to)} nats.`,
  uniform: "n’importe quel token",
  unigram: "selon la fréquence",
  bigram: "selon le token d’avant",
  baselinesHelp:
    "En pointillés\u00a0: la perte si l’on devine n’importe quel token, selon la fréquence, ou selon le token d’avant.",
  version: "Version",
  who: "Qui est derrière",
  contact: "Contact",
  more: "En savoir plus",
  textOf: "Le texte",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source} (${licence})`,
  modelLicence: "La licence du modèle",
};
