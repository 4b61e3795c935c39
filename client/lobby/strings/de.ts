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
  title: "Was möchtest du trainieren helfen?",
  lead:
    "Jeder dieser Läufe ist ein Sprachmodell, das viele Browser gemeinsam trainieren. Wähle einen: Seine Seite sagt, was auf deinem " +
    "Gerät laufen würde, und fragt dich, bevor etwas geschieht.",
  loading: "Der Server wird nach seinen Läufen gefragt …",
  away: "Der Server antwortet nicht. Was hier steht, kann alt sein; diese Seite versucht es weiter.",
  none: "Hier gibt es noch keinen Lauf.",
  noneHelp: "Wenn dieser Server dir gehört, mache einen auf der Seite für Betreiber.",
  operator: "Seite für Betreiber",
  by: (who) => `von ${who}`,
  noPurpose: "Wofür er ist, wurde nicht gesagt.",
  mostHelp: "Hier hilfst du gerade am meisten",
  anywhere: "Wo ich am meisten helfe",
  anywhereHelp:
    "Stimme einmal zu. Der Server schickt dich dann zu dem Lauf, bei dem ein weiterer Browser nach seiner eigenen Messung am meisten hilft. Braucht dich ein anderer Lauf viel mehr, bringt er dich dorthin und sagt es.",
  anywhereAsk: "Überall helfen …",
  anywhereRuns: "Du würdest zustimmen, jedem von diesen zu helfen:",
  anywhereCost: (first) => `(${formatBytes(first)}, wenn er zum ersten Mal gewählt wird)`,
  anywhereWhat:
    "Dein Browser trainiert in dieser Seite, mit halber Kraft, solange sie offen ist. Er lädt Modell und Text eines Laufs. Er schickt Änderungen des Modells, für jeden Lauf unter einem anderen zufälligen Schlüssel, und nie etwas von dir. Er wechselt höchstens alle paar Minuten, zwischen zwei Arbeiten. Die Seite jedes Laufs sagt mehr und hat die Regler; ein Knopf dort beendet das. Läufe, die später entstehen, fragen dich einzeln.",
  anywhereAgree: "Zustimmen und mit dem Training beginnen",
  anywhereNot: "Jetzt nicht",
  anywhereFailed:
    "Dieser Browser speichert nichts für diese Seite, also konnte er sich die Zustimmung nicht merken. Wähle stattdessen unten einen Lauf.",
  state: { running: "Läuft", paused: "Pausiert", finished: "Beendet" },
  howFar: "Fortschritt",
  ofBudget: (part, budget) => `${formatProbability(Math.min(1, part))} von ${formatLarge(budget)} Token`,
  loss: "Verlust",
  notMeasured: "noch nicht gemessen",
  here: "Gerade hier",
  hereCount: (volunteers) => (volunteers === 0 ? "niemand" : plural(volunteers, "Person", "Personen")),
  oneMore: "Ein Browser mehr",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "wartet, bis es weitergeht";
    if (part !== null) return `bringt jede Version ${formatPart(part)} weiter`;
    return volunteers === 0 ? "setzt ihn wieder in Gang" : "hilft; wie sehr, ist noch nicht gemessen";
  },
  cost: "Was es kostet",
  costOf: (first, up, down) =>
    `einmal ${formatBytes(first)}, dann pro Runde etwa ${formatBytes(up)} gesendet und ${formatBytes(down)} empfangen`,
  size: "Modell",
  parameters: (count) => `${formatLarge(count)} Parameter`,
  look: "Ansehen und mitmachen",
  lookAt: (name) => `Ansehen und mitmachen: ${name}`,
  status: "Stand",
  statusOf: (name) => `Stand von ${name}`,
  archive: "Beendet",
  archiveLead: "Diese Läufe sind am Ziel. Was entstanden ist, bleibt hier, für alle.",
  thanks: (deltas) =>
    deltas === 0
      ? "Es steckt niemandes Arbeit darin."
      : `Entstanden aus ${plural(deltas, "Stück", "Stücken")} Arbeit von Freiwilligen. Danke.`,
  made: (version, parameters, loss) =>
    `${plural(version, "Version", "Versionen")}, ${formatLarge(parameters)} Parameter. ${loss}.`,
  nats: (loss) => `${formatLoss(loss)} Nat`,
  download: "Das Modell herunterladen",
  downloadOf: (name) => `Das Modell herunterladen: ${name}`,
  wrote: "Was es am Ende schrieb",
  record: "Beweis der letzten Version: ihr unterschriebener Eintrag",
  recordOf: (name) => `Beweis der letzten Version, ihr unterschriebener Eintrag: ${name}`,
  curve: "Kurve und Freiwillige",
  curveOf: (name) => `Kurve und Freiwillige: ${name}`,
  curveSummary: (from, to) => `Der Verlust ging von ${from} auf ${to}`,
};
