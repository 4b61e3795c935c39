import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "Spielwiese",
  tagline: "Das Modell, wie es gerade ist, in diesem Browser. Was du schreibst, verlässt dein Gerät nicht.",
  back: "Zurück zum Training",
  load: (bytes) => `Das Modell laden (höchstens ${formatBytes(bytes)})`,
  loadNote: "Es wird einmal geladen. Hast du hier schon trainiert, werden nur die Änderungen geladen.",
  loading: (bytes, total) =>
    total === 0
      ? "Das Modell wird geladen …"
      : `Das Modell wird geladen: ${formatBytes(bytes)} von ${formatBytes(total)} …`,
  failed: "Das Modell konnte nicht geladen werden oder hat nicht geschrieben.",
  retry: "Noch einmal versuchen",
  version: (version) => `Version ${formatCount(version)} ist geladen.`,
  newer: (version) => `Version ${formatCount(version)} nehmen`,
  prompt: "Deine Worte",
  promptHelp: "Das Modell schreibt von hier aus weiter, im Ton des Textes, mit dem es trainiert wurde.",
  temperature: "Temperatur",
  temperatureHelp: (value) =>
    value === 0
      ? "0: immer das wahrscheinlichste Token, jedes Mal gleich"
      : `${formatFixed(value, 1)}: ${value < 0.7 ? "vorsichtig, wiederholt sich gern" : value <= 1.1 ? "wie gelernt" : "gewagt, bald Unsinn"}`,
  topK: "Auswahl",
  topKHelp: (count) =>
    count === 1 ? "nur das wahrscheinlichste Token" : `die ${formatCount(count)} wahrscheinlichsten Token`,
  write: "Schreiben",
  again: "Anders schreiben",
  stop: "Stopp",
  output: "Was es geschrieben hat",
  outputWait: "Noch nichts.",
  writing: "Es schreibt …",
  speed: (tokensPerSecond) =>
    `${formatLarge(tokensPerSecond)} Token pro Sekunde, auf dem Prozessor dieses Geräts.`,
  next: "Was es als Nächstes schreiben würde",
  early: "Wie es anfing",
  earlyHelp:
    "Dieselben ersten Worte, fortgesetzt von einer frühen Version und von der neuesten, die gemessen wurde.",
};
