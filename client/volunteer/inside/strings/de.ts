import { formatBytes, formatCount, formatFixed, plural } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "Es gibt etwas zu sehen, sobald die erste Textstelle gelesen wird.",
  lookNow: (version) => `Version ${formatCount(version)} liest:`,
  attention: "Worauf es achtet",
  attentionHelp:
    "Um zu erraten, was auf ein Token folgt, blickt das Modell zurück. Wähle ein Token: Je stärker ein früheres markiert ist, desto " +
    "mehr blickt dieser Kopf darauf. Jede Schicht hat mehrere Köpfe, und jeder lernt, nach etwas anderem zu suchen.",
  attentionLabel: "Token der Textstelle: Die Pfeiltasten wählen, welches zurückblickt",
  layer: "Schicht",
  head: "Kopf",
  attends: (token, seen, share) => `„${token}“ blickt am meisten auf „${seen}“ (${share}).`,
  attentionMap: (layer, head) =>
    `Aufmerksamkeit von Schicht ${formatCount(layer)}, Kopf ${formatCount(head)}: eine Zeile für jedes Token, eine Spalte für ` +
    "jedes, auf das es blickt.",
  tokenMap: "Wo die Token liegen",
  tokenMapHelp: (numbers, shows) =>
    `Für das Modell ist ein Token ein Punkt aus ${formatCount(numbers)} Zahlen. Hier sind sie alle, auf die zwei Richtungen ` +
    `flachgedrückt, in denen sie sich am meisten unterscheiden (${shows} aller Unterschiede). Token, die ähnlich gebraucht werden, ` +
    "rücken zusammen, während es lernt.",
  tokenMapLabel: (tokens) =>
    `Eine Karte von ${plural(tokens, "Token", "Token")}; die der Textstelle sind benannt.`,
  nearest: (token) => `Am nächsten bei „${token}“:`,
  delta: "Was gesendet wurde",
  deltaWait: "Das erste Delta wurde noch nicht gesendet.",
  deltaHelp: (steps, parameters) =>
    `Ein Delta sagt, wie weit sich jede der ${formatCount(parameters)} Zahlen des Modells in ` +
    `${plural(steps, "Trainingsschritt", "Trainingsschritten")} bewegt hat.`,
  deltaRatio: (ratio, changed) =>
    `Zusammen ist es ${ratio} der Größe der Gewichte, und ${changed} von ihnen ändern sich überhaupt.`,
  deltaBytes: (bytes, plain) =>
    `${formatBytes(bytes)} wurden gesendet statt ${formatBytes(plain)}: ${formatFixed(plain / bytes, 1)}-mal kleiner. Was beim ` +
    "Runden wegfiel, bleibt hier und kommt zum nächsten Delta dazu.",
  deltaBars: (largest) =>
    `Wie viele Gewichte sich um wie viel bewegt haben, von −${largest} links über null bis +${largest}.`,
};
