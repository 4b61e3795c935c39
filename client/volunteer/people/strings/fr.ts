import { formatCount, formatLarge } from "../../../ui/format.ts";
import type { PeopleWords } from "./en.ts";

export const words: PeopleWords = {
  leaders: "Bénévoles qui ont un nom",
  leadersHelp:
    "La plupart des bénévoles n’ont pas de nom. Ceux-ci en ont choisi un, et peuvent le retirer à tout moment.",
  nobody: "Personne n’a encore choisi de nom.",
  columns: ["Nom", "Tokens", "24 heures"],
  tokens: formatLarge,
  loading: "On interroge le serveur…",
  name: "Votre nom",
  nameHelp:
    "Vous n’en avez pas, sauf si vous en choisissez un. Quiconque ouvre cette page le voit, avec la part de votre travail dans le " +
    "modèle. Au plus 32 caractères.",
  save: "Afficher ce nom",
  remove: "Retirer mon nom",
  named: (name) => `Vous figurez dans la liste sous le nom ${name}.`,
  page: "Donnez-moi aussi une page que tout le monde peut ouvrir. Elle montre ce que j’ai apporté, avec des preuves qui nomment mes clés aléatoires",
  paged: " Dans la liste, il mène à votre page, dont vous pouvez partager l’adresse.",
  unnamed: "Vous ne figurez nulle part.",
  refused: (why) => `Le serveur ne l’a pas accepté\u00a0: ${why}.`,
  badName: "il n’a ni lettre ni chiffre, est trop long, ou contient des caractères invisibles",
  failed: "Le serveur n’a pas répondu. Rien n’a été changé.",
  noKey:
    "Ce navigateur n’a aucune clé de ce projet, il n’y a donc rien ici qui pourrait être à vous. Une clé est créée quand vous " +
    "entraînez pour la première fois.",
  teams: "Équipes",
  teamsHelp:
    "Une équipe est un nom qui réunit des gens, et la somme de ce qu’ils ont donné. Chacun peut en créer une ou la rejoindre.",
  teamName: "Nom d’une équipe",
  teamJoin: "Rejoindre cette équipe",
  teamLeave: "Quitter mon équipe",
  teamJoined: (name) => `Vous êtes dans l’équipe ${name}.`,
  teamLeft: "Vous n’êtes dans aucune équipe.",
  key: "Votre clé",
  keyHelp:
    "Votre crédit et votre nom appartiennent à une clé aléatoire que ce navigateur a créée. Enregistrez-la dans un fichier, protégé " +
    "par une phrase secrète. Vous pourrez alors l’utiliser dans un autre navigateur ou sur un autre appareil. Quiconque a le " +
    "fichier et la phrase secrète peut travailler sous votre nom. Personne ne peut réinitialiser la phrase secrète.",
  passphrase: "Phrase secrète, 8 caractères ou plus",
  keySave: "Enregistrer ma clé dans un fichier",
  keySaved: "Il est dans vos téléchargements. Gardez la phrase secrète ailleurs.",
  keyFile: "Un fichier qu’un autre navigateur a enregistré",
  keyTake: "Utiliser ici la clé de ce fichier",
  keyOpening: "Ouverture du fichier…",
  keyTaken:
    "Ce navigateur a maintenant cette clé, à la place de la sienne. Commencez l’entraînement pour continuer avec.",
  addUp: "Compter avec elle ce que la clé de ce navigateur a apporté",
  keysLinked: (keys, tokens) =>
    `Ce navigateur a maintenant cette clé. Désormais, ${formatCount(keys)} clés à vous comptent pour une seule personne\u00a0: ` +
    `${formatLarge(tokens)} tokens.`,
  unlink: "Compter cette clé à part…",
  unlinkText:
    "Son travail ne comptera plus avec celui de vos autres clés. Celles-ci restent liées entre elles. Pour lier cette clé à nouveau, il vous faudra deux des clés dans un même navigateur.",
  unlinkYes: "Oui, la compter à part",
  unlinked: "Cette clé compte désormais à part.",
  code: "Votre clé sur un autre appareil",
  codeHelp:
    "Affichez un code ici. Sur l’autre appareil, scannez-le ou ouvrez son lien\u00a0: votre clé y va, et le serveur ne peut pas la " +
    "lire. Un code sert une fois, pendant deux minutes. Ne le montrez à personne d’autre.",
  codeShow: "Afficher un code",
  codePicture: "Un code QR du lien ci-dessous",
  codeLeft: (seconds) => `Encore valable ${formatCount(seconds)} s. Laissez cette page ouverte.`,
  codeCompare:
    "Une autre page a lu le code. Ne lui envoyez votre clé que si elle affiche le même nombre\u00a0:",
  codeSend: "Oui, envoyer ma clé",
  codeRefuse: "Non",
  codeRead: "Un code qu’affiche un autre de vos appareils, ou son lien",
  codeTake: "Prendre la clé de cet appareil",
  codeKnocks: "On interroge l’autre appareil…",
  codeWait: "Si l’autre appareil affiche le même nombre, acceptez-y maintenant\u00a0:",
  codeWrong:
    "Ce n’est pas un code de ce projet, ou ce qui est arrivé n’est pas ce qui a été envoyé. Rien n’a été changé ici.",
  codeUsed:
    "Une autre page a utilisé ce code. Si ce n’était pas vous, dites Non sur l’autre appareil, et affichez un nouveau code.",
  codeEnded: {
    taken: "L’autre appareil a maintenant votre clé. Les deux peuvent travailler avec.",
    declined: "Rien n’a été envoyé.",
    over: "Les deux minutes du code sont passées. Affichez-en un nouveau.",
    stranger:
      "Une page qui n’a pas lu le code a demandé votre clé. Rien n’a été envoyé. Affichez un nouveau code.",
  },
  keyFailed: "Ce navigateur n’a pas pu le faire. Rien n’a été changé.",
  keyRefused: {
    "wrong-passphrase": "La phrase secrète est fausse, ou le fichier a été modifié. Rien n’a été changé ici.",
    "bad-key-file": "Ce n’est pas un fichier de clé, ou il est abîmé.",
    "other-run": "Ce fichier contient une clé d’un autre projet.",
    "not-exportable":
      "Ce navigateur a créé sa clé avant qu’on puisse enregistrer les clés, et aucun programme ne peut la lire. Elle continue de " +
      "marcher ici. Les clés créées à partir de maintenant peuvent être enregistrées.",
  },
  data: "Vos données",
  dataHelp:
    "Le serveur vous connaît par une clé aléatoire que ce navigateur a créée. Voici ce qu’il détient au sujet de cette clé, et " +
    "comment y mettre fin.",
  export: "Télécharger ce que le serveur détient sur moi",
  exported: "C’est dans vos téléchargements.",
  remember: "M’oublier…",
  forgetText:
    "Le serveur supprime votre nom, votre crédit, vos liens et ce qu’il a retenu de votre appareil, pour toutes les clés " +
    "auxquelles la vôtre est liée. Ce navigateur supprime votre clé, vos choix et tous les téléchargements de ce projet. " +
    "L’entraînement s’arrête. Ce qui reste\u00a0: l’historique signé des versions nomme votre clé aléatoire et les empreintes de vos " +
    "deltas, et ce qu’ils ont appris au modèle y est. Il ne dit rien d’autre de vous.",
  forget: "Oui, m’oublier",
  keep: "Non, garder",
  forgotten:
    "Vous êtes oublié, ici et là-bas. Si vous entraînez encore un jour, ce sera en nouvelle personne.",
};
