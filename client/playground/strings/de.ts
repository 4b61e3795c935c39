import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "Spielwiese",
  tagline: "Das Modell, wie es gerade ist, in diesem Browser. Was du schreibst, verlässt dein Gerät nicht.",
  back: "Zurück zum Training",
  load: (bytes) => `Das Modell laden (höchstens ${formatBytes(bytes)})`,
  loadNote: "Es wird einmal geladen. Hast du hier schon trainiert, werden nur die Änderungen geladen.",
  version: (version) => `Version ${formatCount(version)} ist geladen.`,
  newer: (version) => `Version ${formatCount(version)} nehmen`,
  promptHelp: "Das Modell schreibt von hier aus weiter, im Ton des Textes, mit dem es trainiert wurde.",
  temperature: "Temperatur",
  temperatureHelp: (value) =>
    value === 0
      ? "0: immer das wahrscheinlichste Token, jedes Mal gleich"
      : `${formatFixed(value, 1)}: ${value < 0.7 ? "vorsichtig, wiederholt sich gern" : value <= 1.1 ? "wie gelernt" : "gewagt, bald Unsinn"}`,
  topK: "Auswahl",
  topKHelp: (count) =>
    count === 1 ? "nur das wahrscheinlichste Token" : `die ${formatCount(count)} wahrscheinlichsten Token`,
  again: "Anders schreiben",
  outputWait: "Noch nichts.",
  speed: (tokensPerSecond) =>
    `${formatLarge(tokensPerSecond)} Token pro Sekunde, auf dem Prozessor dieses Geräts.`,
  next: "Was es als Nächstes schreiben würde",
  early: "Wie es anfing",
  earlyHelp:
    "Dieselben ersten Worte, fortgesetzt von einer frühen Version und von der neuesten, die gemessen wurde.",
};
