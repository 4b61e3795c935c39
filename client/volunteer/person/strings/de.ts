import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "Der Server wird gefragt …",
  none: "Unter dieser Adresse gibt es keine Seite. Wer eine hatte, hat sie vielleicht entfernt.",
  away: "Der Server antwortet nicht. Lade die Seite in einer Weile neu.",
  lead: "Jemand, dessen Browser mit vielen anderen ein Sprachmodell trainiert.",
  tokens: "Token im Modell",
  recent: "Am letzten Tag geschickt",
  merged: "Deltas im Modell",
  keys: (keys) => `Aus ${formatCount(keys)} Browsern, deren Schlüssel verknüpft sind.`,
  proofs: "Beweise",
  proofsHelp:
    "Die neuesten Deltas, die im Modell sind. Jedes führt zu der Urkunde, die der Server beim Einfügen unterschrieben hat. Dein " +
    "Browser kann die Unterschriften selbst prüfen.",
  noProofs: "Noch ist kein Delta von hier im Modell.",
  check: "Hier prüfen",
  checking: "Es wird geprüft …",
  hold: (of) =>
    `Alle ${formatCount(of)} stimmen: Der Server hat unterschrieben, dass diese Deltas im Modell sind.`,
  broken: (hold, of) =>
    `Nur ${formatCount(hold)} von ${formatCount(of)} stimmen. Zu den anderen steht der Server nicht.`,
  teamLead: "Ein Team von Freiwilligen, deren Browser zusammen ein Sprachmodell trainieren.",
  members: "Mitglieder",
  people: "Wer einen Namen hat",
  peopleHelp: "Mitglieder, die einen Namen gewählt haben. Die anderen zählen auch.",
  peopleColumns: ["Name", "Token"],
  columns: ["Version", "Token", "Delta"],
};
