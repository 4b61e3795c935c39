import { formatCount, formatLarge } from "../../../ui/format.ts";
import type { PeopleWords } from "./en.ts";

export const words: PeopleWords = {
  leaders: "Freiwillige mit Namen",
  leadersHelp:
    "Die meisten Freiwilligen haben keinen Namen. Diese haben einen gewählt und können ihn jederzeit entfernen.",
  nobody: "Noch hat niemand einen Namen gewählt.",
  columns: ["Name", "Token", "Letzter Tag"],
  tokens: formatLarge,
  loading: "Der Server wird gefragt …",
  name: "Dein Name",
  nameHelp:
    "Du hast keinen, solange du keinen wählst. Alle, die diese Seite öffnen, sehen ihn und wie viel von deiner Arbeit im " +
    "Modell steckt. Höchstens 32 Zeichen.",
  save: "Diesen Namen zeigen",
  remove: "Meinen Namen entfernen",
  named: (name) => `Du stehst als ${name} in der Liste.`,
  page: "Gib mir auch eine Seite, die alle öffnen können. Sie zeigt, was ich beigetragen habe, mit Beweisen, die meine zufälligen Schlüssel nennen",
  paged: " In der Liste führt er zu deiner Seite, deren Adresse du teilen kannst.",
  unnamed: "Du stehst in keiner Liste.",
  refused: (why) => `Der Server hat es nicht angenommen: ${why}.`,
  badName: "er hat weder Buchstaben noch Ziffern, ist zu lang oder enthält unsichtbare Zeichen",
  failed: "Der Server hat nicht geantwortet. Nichts wurde geändert.",
  noKey:
    "Dieser Browser hat keinen Schlüssel für diesen Lauf, also gibt es hier nichts, was deins sein könnte. Ein Schlüssel " +
    "entsteht, wenn du zum ersten Mal trainierst.",
  teams: "Teams",
  teamsHelp:
    "Ein Team ist ein Name, unter dem sich Leute sammeln, und die Summe ihrer Beiträge. Alle können eines gründen oder beitreten.",
  teamName: "Name eines Teams",
  teamJoin: "Diesem Team beitreten",
  teamLeave: "Mein Team verlassen",
  teamJoined: (name) => `Du bist im Team ${name}.`,
  teamLeft: "Du bist in keinem Team.",
  key: "Dein Schlüssel",
  keyHelp:
    "Deine Punkte und dein Name gehören zu einem zufälligen Schlüssel, den dieser Browser gemacht hat. Speichere ihn als Datei, " +
    "mit einer Passphrase gesichert. Dann kannst du ihn in einem anderen Browser oder auf einem anderen Gerät nutzen. Wer die " +
    "Datei und die Passphrase hat, kann unter deinem Namen arbeiten. Niemand kann die Passphrase zurücksetzen.",
  passphrase: "Passphrase, 8 Zeichen oder mehr",
  keySave: "Meinen Schlüssel als Datei speichern",
  keySaved: "Er liegt in deinen Downloads. Bewahre die Passphrase anderswo auf.",
  keyFile: "Eine Datei, die ein anderer Browser gespeichert hat",
  keyTake: "Den Schlüssel dieser Datei hier verwenden",
  keyOpening: "Die Datei wird geöffnet …",
  keyTaken:
    "Dieser Browser hat jetzt diesen Schlüssel statt seines eigenen. Starte das Training, um damit weiterzumachen.",
  addUp: "Mitzählen, was der bisherige Schlüssel dieses Browsers beigetragen hat",
  keysLinked: (keys, tokens) =>
    `Dieser Browser hat jetzt diesen Schlüssel. Von nun an zählen ${formatCount(keys)} Schlüssel von dir als eine Person: ` +
    `${formatLarge(tokens)} Token.`,
  unlink: "Diesen Schlüssel wieder einzeln zählen …",
  unlinkText:
    "Seine Arbeit zählt dann nicht mehr mit der deiner anderen Schlüssel zusammen. Die bleiben miteinander verbunden. Um diesen Schlüssel wieder zu verbinden, brauchst du zwei der Schlüssel in einem Browser.",
  unlinkYes: "Ja, einzeln zählen",
  unlinked: "Dieser Schlüssel zählt von jetzt an einzeln.",
  code: "Dein Schlüssel auf einem anderen Gerät",
  codeHelp:
    "Zeige hier einen Code. Scanne ihn auf dem anderen Gerät oder öffne dort seinen Link: Dein Schlüssel kommt dorthin, und der " +
    "Server kann ihn nicht lesen. Ein Code gilt einmal und zwei Minuten lang. Zeige ihn niemandem sonst.",
  codeShow: "Einen Code zeigen",
  codePicture: "Ein QR-Code des Links darunter",
  codeLeft: (seconds) => `Gilt noch ${formatCount(seconds)} s. Lass diese Seite offen.`,
  codeCompare:
    "Eine andere Seite hat den Code gelesen. Schicke ihr deinen Schlüssel nur, wenn sie dieselbe Zahl zeigt:",
  codeSend: "Ja, meinen Schlüssel schicken",
  codeRefuse: "Nein",
  codeRead: "Ein Code, den ein anderes Gerät von dir zeigt, oder sein Link",
  codeTake: "Den Schlüssel jenes Geräts übernehmen",
  codeKnocks: "Das andere Gerät wird gefragt …",
  codeWait: "Wenn das andere Gerät dieselbe Zahl zeigt, stimme nun dort zu:",
  codeWrong:
    "Das ist kein Code dieses Laufs, oder was ankam, ist nicht, was geschickt wurde. Hier wurde nichts geändert.",
  codeUsed:
    "Eine andere Seite hat diesen Code benutzt. Wenn du das nicht warst, sage auf dem anderen Gerät Nein und zeige einen neuen Code.",
  codeEnded: {
    taken: "Das andere Gerät hat jetzt deinen Schlüssel. Beide können damit arbeiten.",
    declined: "Nichts wurde geschickt.",
    over: "Die zwei Minuten des Codes sind um. Zeige einen neuen.",
    stranger:
      "Eine Seite, die den Code nicht gelesen hat, wollte deinen Schlüssel. Nichts wurde geschickt. Zeige einen neuen Code.",
  },
  keyFailed: "Das konnte dieser Browser nicht. Nichts wurde geändert.",
  keyRefused: {
    "wrong-passphrase":
      "Die Passphrase ist falsch, oder die Datei wurde verändert. Hier wurde nichts geändert.",
    "bad-key-file": "Das ist keine Schlüsseldatei, oder sie ist beschädigt.",
    "other-run": "Diese Datei enthält einen Schlüssel für einen anderen Lauf.",
    "not-exportable":
      "Dieser Browser hat seinen Schlüssel gemacht, bevor man Schlüssel speichern konnte, und kein Programm kann ihn lesen. " +
      "Hier funktioniert er weiter. Schlüssel, die von jetzt an entstehen, lassen sich speichern.",
  },
  data: "Deine Daten",
  dataHelp:
    "Der Server kennt dich an einem zufälligen Schlüssel, den dieser Browser gemacht hat. Hier steht, was er zu diesem Schlüssel " +
    "gespeichert hat und wie du das beendest.",
  export: "Herunterladen, was der Server über mich hat",
  exported: "Es liegt in deinen Downloads.",
  remember: "Mich vergessen …",
  forgetText:
    "Der Server löscht deinen Namen, deine Punkte, deine Verknüpfungen und was er sich von deinem Gerät gemerkt hat, für alle " +
    "Schlüssel, mit denen deiner verknüpft ist. Dieser Browser löscht deinen Schlüssel, was du gewählt hast und alle Downloads " +
    "dieses Laufs. Das Training endet. Was bleibt: Die unterschriebene Geschichte der Versionen nennt deinen zufälligen " +
    "Schlüssel und Fingerabdrücke deiner Deltas, und was sie gelehrt haben, steckt im Modell. Sonst sagt sie nichts über dich.",
  forget: "Ja, vergiss mich",
  keep: "Nein, behalten",
  forgotten: "Du bist vergessen, hier und dort. Wenn du je wieder trainierst, dann als jemand Neues.",
};
