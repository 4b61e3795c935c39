import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability, plural } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "Sprache",
  languageMissing: "Die Texte dieser Sprache konnten nicht geladen werden.",
  loading: "Der Server wird nach seinem Lauf gefragt …",
  serverAway: "Der Server antwortet nicht. Diese Seite versucht es weiter.",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "Etwas zwischen dir und dem Server leitet die Anfragen um: ",
      answered: (status) => `Etwas zwischen dir und dem Server antwortete mit ${status}: `,
      advice: {
        "too-large":
          "Ein Proxy lässt weniger durch, als der Server annimmt. Wer ihn betreibt, muss die Grenze anheben (nginx: client_max_body_size).",
        "headers-too-large":
          "Ein Proxy nimmt keine so großen Kopfzeilen an. Lösche die Cookies dieser Website; hilft das nicht, muss die Grenze angehoben werden (nginx: large_client_header_buffers).",
        forbidden:
          "Ein Proxy, eine Firewall oder dieses Netz verbietet die Anfrage. Wer es betreibt, muss die Pfade unter /api/ durchlassen; in einem Netz mit Anmeldung melde dich zuerst an.",
        "not-found":
          "Ein Proxy schickt diese Adresse anderswohin. Prüfe die Adresse; wer ihn betreibt, muss jeden Pfad unter der Adresse des Servers weiterleiten.",
        "too-many": "Ein Proxy lässt weniger Anfragen durch. Wer ihn betreibt, muss die Grenze anheben.",
        gateway:
          "Der Proxy ist da, aber der Server dahinter antwortet ihm nicht. Wer ihn betreibt, muss ihn starten oder seine Adresse im Proxy berichtigen.",
        status:
          "Die Antwort stammt nicht vom Server selbst. Wer ihn betreibt, findet den Grund im Protokoll des Proxys.",
        page: "Statt einer Antwort kam eine Webseite. In einem Netz mit Anmeldung melde dich an; sonst prüfe die Adresse.",
        redirect:
          "Die Antwort war eine Weiterleitung. In einem Netz mit Anmeldung melde dich an; sonst nimm die Adresse, zu der sie führt.",
        certificate:
          "Das Zertifikat des Servers gilt nicht: Es ist abgelaufen, für einen anderen Namen oder von niemandem unterschrieben, dem dieses Gerät vertraut. Wer ihn betreibt, muss es erneuern.",
        "unknown-host": "Der Name des Servers ist hier nicht bekannt. Prüfe die Adresse und das Netz.",
        refused:
          "An der Adresse des Servers antwortet kein Programm. Prüfe Adresse und Port, oder starte den Server.",
        unreachable: "Der Server antwortet nicht.",
      },
    }),
  keepsTrying: (what) => `${what} Diese Seite versucht es weiter.`,
  noRun: "Dieser Server hat noch keinen Lauf.",
  mismatch:
    "Diese Seite und der Server sprechen verschiedene Versionen des Protokolls, und neu laden half nicht. Wahrscheinlich " +
    "wurde der Server gerade aktualisiert: Versuche es in einer Minute wieder.",
  retry: "Noch einmal versuchen",
  reload: "Seite neu laden",
  partMissing:
    "Dieser Teil konnte nicht geladen werden. Vielleicht ist die Verbindung abgebrochen, etwas blockiert ihn, oder diese " +
    "Seite ist älter als die des Servers.",
  guess: "Erwartet hat es",
  truth: "Im Text steht",
  right: "Richtig",
  wrong: "Daneben",
  verdict: (what, chance) => `${what}. ${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `Dem Richtigen gab es etwa 1 Chance zu ${formatCount(1 / probability)}.`
      : `Dem Richtigen gab es eine Chance von ${formatProbability(probability)}.`,
  sampleOf: (version) => `Geschrieben von Version ${formatCount(version)}, unverändert.`,
  sampleEarly: "Früher",
  sampleNow: "Jetzt",
  samplePick: "Vergleichen mit Version",
  sampleWait: "Es hat noch nichts geschrieben.",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `${formatBits(bits)} Bit pro Byte`;
  },
  chartWait: "Die erste Messung ist unterwegs.",
  chartPoint: (version, loss, bits, tokens) =>
    `Version ${formatCount(version)}: ${formatLoss(loss)} Nat${bits === "" ? "" : ` (${bits})`} nach ` +
    `${formatLarge(tokens)} Token`,
  chartSummary: (from, to, versions) =>
    `Der Verlust auf zurückgehaltenem Text ging in ${plural(versions, "Version", "Versionen")} von ${formatLoss(from)} auf ` +
    `${formatLoss(to)} Nat.`,
  uniform: "irgendein Token",
  unigram: "nach Häufigkeit",
  bigram: "nach dem Token davor",
  baselinesHelp:
    "Gestrichelt: der Verlust, wenn man irgendein Token rät, nach Häufigkeit rät oder nach dem Token davor.",
  version: "Version",
  who: "Wer dahintersteht",
  contact: "Kontakt",
  more: "Mehr dazu",
  textOf: "Der Text",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source} (${licence})`,
  modelLicence: "Lizenz des Modells",
};
