import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0
      ? "Das Modell wird geladen …"
      : `Das Modell wird geladen: ${formatBytes(bytes)} von ${formatBytes(total)} …`,
  failed: "Das Modell konnte nicht geladen werden oder hat nicht geschrieben.",
  retry: "Noch einmal versuchen",
  prompt: "Deine Worte",
  write: "Schreiben",
  stop: "Stopp",
  output: "Was es geschrieben hat",
  writing: "Es schreibt …",
  ask: "Das Modell ausprobieren",
  askHelp: (bytes) =>
    `Schreib einen Anfang, und das Modell schreibt weiter, hier in deinem Browser. Was du schreibst, verlässt dein Gerät nicht. Beim ersten Mal werden höchstens ${formatBytes(bytes)} heruntergeladen.`,
  back: "Zurück",
};
