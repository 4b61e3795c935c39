import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatPart,
  formatProbability,
  formatTime,
  plural,
} from "../../ui/format.ts";
import type { VolunteerWords } from "./en.ts";

const insecure =
  "Cette page est arrivée par HTTP non chiffré, et là les navigateurs coupent la carte graphique, les clés et les verrous dont " +
  "l’entraînement a besoin. Cela marche depuis une adresse https://, ou depuis localhost sur la machine du serveur.";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "Beaucoup de navigateurs, un petit esprit.",
  neighbours: "Un étourneau suit sept voisins\u202f; une murmuration a l’air d’un seul esprit.",

  noRunLink: "Comment en créer un",

  consentTitle: (run) => `Aider à entraîner «\u202f${run}\u202f»\u202f?`,
  whatFor: "Pour quoi",
  whatRuns: "Ce qui s’exécute",
  whatRunsText: (parameters, audits = false) =>
    `Un petit modèle de langue de ${formatLarge(parameters)} paramètres (conçu comme GPT-2) s’entraîne dans cet onglet, sur votre ` +
    "carte graphique ou votre processeur, quelques secondes à la fois, sur des passages de texte que le serveur distribue." +
    (audits
      ? " De temps en temps, il vérifie la modification du modèle faite par une autre personne, sans apprendre de qui elle vient."
      : ""),
  forWhom: "Pour qui",
  forWhomText: (operator, host) =>
    `${operator === "" ? "L’exploitant" : operator}, à l’adresse ${host}. Le modèle appartient à tout le monde\u00a0: chaque version ` +
    "peut être téléchargée ici, par vous aussi.",
  leaves: "Ce qui quitte votre appareil",
  leavesText:
    "Les modifications des poids du modèle, leur perte et leur durée, le type d’appareil et de navigateur qui les a faites, et " +
    "une clé aléatoire créée ici pour distinguer votre travail de celui des autres. Jamais vos fichiers, votre historique ni " +
    "ce que vous tapez.",
  sees: "Ce que voit le serveur",
  seesText: "Votre adresse internet, comme toute page que vous visitez.",
  costs: "Ce que cela vous coûte",
  costsText: (down, round) =>
    `Environ ${formatBytes(down)} une fois${round === undefined ? "" : `, puis environ ${formatBytes(2 * round)} par tour`}, et un ` +
    "peu d’électricité.",
  until: "Jusqu’à quand",
  untilText: (done, budget) =>
    `Le projet prend fin quand le modèle a appris de ${formatLarge(budget)} tokens de texte\u202f; ${formatLarge(done)} sont faits. Vous ` +
    "pouvez partir bien avant\u00a0: on n’attend rien de vous, et un arrêt prend effet aussitôt.",
  agree: "Commencer l’entraînement",
  promise:
    "Rien ne s’est exécuté jusqu’ici. Vous pouvez mettre en pause ou arrêter à tout moment\u202f; fermer l’onglet arrête aussi.",
  insecure,

  pause: "Pause",
  pauseFor: "Pause de…",
  pauseLengths: { "half-hour": "30 minutes", hour: "une heure", tomorrow: "jusqu’à demain" },
  pausedUntil: (at) => `L’entraînement reprendra tout seul\u00a0: ${formatTime(at)}.`,
  resume: "Reprendre",
  stop: "Arrêter",
  start: "Recommencer",
  override: "Entraîner quand même",
  presets: "Quelle part de cette machine\u202f?",
  presetNames: { quiet: "Discret", balanced: "Équilibré", allIn: "À fond" },
  presetHelp: {
    quiet: "un cinquième du temps, et seulement pendant que vous regardez",
    balanced: "la moitié du temps\u202f; se repose sur batterie et quand la machine chauffe",
    allIn: "tout le temps, quoi qu’il en coûte",
  },
  presetOwn: "Personnalisé",
  tune: "Réglages fins",
  startPaused: "Commencer en pause chaque fois que cette page s’ouvre",
  keepAwake: "Garder l’écran allumé pendant l’entraînement",
  pauseOnSaver: "Pause quand ce navigateur économise les données",
  pauseOnHeat: "Pause quand la machine chauffe ou est occupée",
  hoursOn: "N’entraîner que de",
  hoursTo: "à",
  hoursFromLabel: "Entraîner à partir de cette heure",
  hoursToLabel: "Entraîner jusqu’à cette heure",
  share: "Usage de cette machine",
  shareText: (share) => `${formatProbability(share)} du temps`,
  pauseWhenHidden: "Pause quand cet onglet est caché",
  pauseOnBattery: "Pause sur batterie",
  withPeers: "Partager avec les autres visiteurs",
  withPeersHelp:
    "Les navigateurs des visiteurs se transmettent alors le modèle et le texte, ce qui soulage ce serveur. Ceux avec qui vous " +
    "êtes en liaison voient votre adresse internet, comme dans un appel vidéo, et vous voyez la leur. Au plus 8 mégabits par " +
    "seconde sont envoyés. Désactivé tant que vous ne l’activez pas.",
  withPeersState: (browsers, given, taken) =>
    `En liaison avec ${plural(browsers, "navigateur", "navigateurs")}\u00a0: ${formatBytes(given)} donnés, ${formatBytes(taken)} reçus.`,
  yourPart: "Votre part",

  download: "Télécharger",
  train: "Entraîner",
  send: "Envoyer",
  notYet: "pas encore",
  downloadOf: { weights: "poids", text: "texte", change: "modifications" },
  stepOf: (step, steps) => `étape ${formatCount(step)}/${formatCount(steps)}`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} tokens/s`,
  forVersion: (version) => `pour la version ${formatCount(version + 1)}`,

  reading: "Ce qu’il lit",
  readingLabel: "Le passage, token par token\u00a0: les flèches du clavier le parcourent",
  readingHelp: "Pointez un mot, ou utilisez les flèches, pour voir ce que le modèle y attendait.",
  readingMissing:
    "Le tokenizer n’a pas pu être chargé, le passage n’est donc pas affiché. L’entraînement continue, et chaque tour réessaie.",
  readingWait: "Le premier passage apparaît quand le premier tour d’entraînement commence.",
  passage: (version, right, tokens) =>
    `La version ${formatCount(version)} en a deviné ${formatCount(right)} sur ${plural(tokens, "token", "tokens")} ici.`,
  lineBreak: "saut de ligne",
  blank: "espace",
  autoOn: "Défiler",
  autoOff: "Figer",
  nextPassage: "Passage suivant",

  look: "Un regard à l’intérieur",
  lookHelp:
    "Ce que le modèle de cet onglet fait du passage, calculé ici à partir des poids en cours d’entraînement.",

  yourLoss: "Votre perte",
  lossHelp: "nats par token, sur le texte de votre entraînement",
  lossInWords: (nats) =>
    `nats par token, sur le texte de votre entraînement\u00a0: aussi bien que deviner parmi ${formatChoices(nats)} tokens`,
  passageInWords: (nats) =>
    `Ce passage est pour lui aussi difficile que deviner chaque token parmi ${formatChoices(nats)}.`,
  credit: "Crédit",
  creditHelp: "de vos tokens intégrés au modèle",
  creditRecent: (tokens) => `dont ${formatLarge(tokens)} envoyés ces dernières 24 heures`,
  refusals: "Refusés",
  lastAt: (at) => `dernier\u00a0: ${formatTime(at)}`,
  sentTokens: "Entraîné sur",
  sentHelp: "tokens envoyés depuis l’ouverture de cette page",
  traffic: "Trafic",
  trafficText: (down, up) => `${formatBytes(down)} reçus, ${formatBytes(up)} envoyés`,
  creditDetail: (merged, pending, refused) =>
    `${plural(merged, "delta intégré", "deltas intégrés")}, ${formatCount(pending)} en attente, ${plural(refused, "refusé", "refusés")}`,

  people: "Les noms, et vos données",
  peopleHelp:
    "Les noms de bénévoles, comment choisir le vôtre, et les données que le serveur détient sur vous.",

  run: "Le projet",
  heldOut: "Perte sur texte réservé",
  heldOutHelp:
    "À quel point le modèle est surpris par un texte sur lequel personne ne s’entraîne, en nats par token. Moins, c’est mieux.",
  heldOutNow: (nats, bits) => ` En ce moment ${nats}, soit ${bits}.`,
  rounds: (ms) =>
    `Tout le monde s’entraîne en même temps\u00a0: environ toutes les ${formatDuration(ms)}, une version naît de ce qui est arrivé à temps.`,
  oneMore: (part) =>
    `Un navigateur de plus ferait apprendre environ ${formatPart(part)} de plus à chaque version.`,
  turns: "Les bénévoles se relaient à chaque version\u202f; quand il y en a beaucoup, certains attendent.",
  sample: "Ce qu’il écrit en ce moment",
  playgroundLink: "Essayez avec vos propres mots",
  volunteers: "Bénévoles",
  tokens: "Tokens appris",
  birds: (volunteers) =>
    volunteers === 0
      ? "Personne ne s’entraîne en ce moment."
      : `${plural(volunteers, "bénévole", "bénévoles")} en ce moment, un oiseau chacun.`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "Le seul oiseau, c’est vous\u00a0: personne d’autre n’est là en ce moment."
      : `${plural(volunteers, "bénévole", "bénévoles")} ici, un oiseau chacun. Le vôtre brille.`,
  finishedTitle: "Le modèle est terminé",
  finishedText: "Ce projet est fini\u00a0: il n’y a plus rien à entraîner, et le modèle est là pour rester.",
  downloadModel: "Télécharger le modèle",
  statusPage: "Comment va le projet",
  howPage: "Comment marche l’entraînement",
  howLink:
    "Vous découvrez\u202f? Voyez comment marche l’entraînement, avec un petit réseau qui apprend sous vos yeux",
  playgroundPage: "Bac à sable",
  benchPage: "Quelle est la vitesse de ce navigateur\u202f?",
  benchLink: "Mesurer à quelle vitesse ce navigateur pourrait entraîner",
  downloadHelp: "safetensors, version par version",

  paused: {
    visitor: "En pause, par vous.",
    hidden: "En pause tant que cet onglet est caché.",
    battery: "En pause tant que la machine est sur batterie.",
    saver: "En pause tant que ce navigateur économise les données.",
    heat: "En pause tant que la machine chauffe ou est occupée.",
    schedule: "En pause en dehors des heures que vous avez choisies.",
    budget: "En pause\u00a0: le volume de données que ce site permet pour aujourd’hui est épuisé.",
    site: "Mis en pause par le site où vous êtes.",
    "other-tab": "Un autre onglet s’entraîne. Celui-ci prend le relais quand l’autre s’arrête.",
    operator: "L’exploitant a mis le projet en pause. L’entraînement reprendra quand il le relancera.",
  },
  unable: {
    insecure,
    "no-device":
      "Aucun moyen d’entraîner n’a marché dans ce navigateur\u00a0: ni la carte graphique ni le processeur n’ont passé la vérification.",
    "no-ed25519":
      "Ce navigateur ne sait pas créer de clés Ed25519, qui signent votre travail. Une version actuelle le sait.",
    stuck:
      "L’entraînement n’a pas commencé\u00a0: une partie de ce navigateur ne répond pas. Réessayez, ou redémarrez le navigateur.",
    failed: "L’entraînement a échoué d’une façon que cette page n’avait pas prévue.",
  },
  downloading: {
    weights: "Téléchargement des poids du modèle…",
    text: "Téléchargement du texte d’entraînement…",
    change: "Rattrapage de la dernière version…",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "JavaScript pur" },
  software: (device) => `${device} (logiciel, sur le processeur)`,
  phase: {
    starting: "Démarrage…",
    probing: (device) => `Essai de ce que sait faire cette machine (${device})…`,
    queued: "En attente du prochain morceau de travail.",
    training: "Entraînement sur un passage…",
    auditing: "Vérification, pour le serveur, du delta d’une autre personne…",
    sending: (bytes) => `Envoi de votre delta (${formatBytes(bytes)})…`,
    waiting: (ms) => `Pas de travail pour l’instant. Prochaine demande dans ${formatDuration(ms)}.`,
    quarantined: (ms) =>
      "Votre travail a échoué à une vérification, ce qui peut arriver à un travail honnête. Le serveur n’en prend plus pendant " +
      `${formatDuration(ms)}\u202f; ensuite l’entraînement reprend tout seul.`,
    banned:
      "L’exploitant de ce projet a banni ce navigateur, le serveur n’accepte donc aucun travail de lui. Seul l’exploitant peut " +
      "revenir dessus\u202f; demandez-lui si vous pensez que c’est une erreur.",
    away: (why, ms) => `${why} Nouvel essai dans ${formatDuration(ms)}\u202f; rien n’est perdu.`,
    finished: "Le projet est terminé, et le modèle aussi. Merci.",
    stopped: "Arrêté. Rien ne s’exécute.",
  },
  noAnswer: "Le serveur ne répond pas.",
  spoken: {
    training: "Entraînement en cours.",
    starting: "Démarrage.",
    waiting: "En attente de travail.",
    away: "Le serveur ne répond pas. Nouvel essai.",
  },

  refusedWork: (why) => `Votre dernier travail n’a pas été pris\u00a0: ${why}.`,
  refusal: {
    late: "il est arrivé trop tard, le modèle avait avancé. Il est gardé pour votre prochain delta",
    expired: "il est arrivé après son délai, et son texte avait été donné à quelqu’un d’autre",
    repeated: "il avait déjà été envoyé",
    invalid: "l’entraînement sur cet appareil a produit des nombres invalides (NaN)",
    large: "il aurait changé le modèle plus que l’entraînement ne le peut",
    paused: "l’exploitant a mis le projet en pause",
    finished: "le projet est terminé",
    quarantined:
      "un travail antérieur de ce navigateur a échoué à une vérification, et rien n’est accepté pendant un moment",
    banned: "l’exploitant a banni ce navigateur",
    busy: "trop de demandes sont arrivées à la fois",
  },
  refusalByCode: {
    unread: (code) => `le serveur n’a pas pu lire ce qui est arrivé («\u202f${code}\u202f»)`,
    unfit: (code) =>
      `cela ne correspond pas à ce projet ou à la clé de ce navigateur («\u202f${code}\u202f»)`,
    outdated: (code) =>
      `cette page est plus ancienne ou plus récente que le serveur («\u202f${code}\u202f»)\u202f; la recharger aide`,
    server: (code) => `le serveur ne peut pas l’accepter en ce moment («\u202f${code}\u202f»)`,
  },
};
