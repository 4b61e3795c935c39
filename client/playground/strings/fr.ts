import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "Bac à sable",
  tagline:
    "Le modèle tel qu’il est en ce moment, dans ce navigateur. Rien de ce que vous tapez ne quitte votre appareil.",
  back: "Retour à l’entraînement",
  load: (bytes) => `Charger le modèle (au plus ${formatBytes(bytes)})`,
  loadNote:
    "Il est téléchargé une fois. Si vous avez déjà entraîné ici, seules les modifications sont téléchargées.",
  version: (version) => `La version ${formatCount(version)} est chargée.`,
  newer: (version) => `Prendre la version ${formatCount(version)}`,
  promptHelp: "Le modèle continue à partir d’ici, dans le ton du texte sur lequel il s’est entraîné.",
  temperature: "Température",
  temperatureHelp: (value) =>
    value === 0
      ? "0\u00a0: toujours le token le plus probable, chaque fois le même"
      : `${formatFixed(value, 1)}\u00a0: ${value < 0.7 ? "prudent, enclin à se répéter" : value <= 1.1 ? "comme il a appris" : "audacieux, vite insensé"}`,
  topK: "Choisir parmi",
  topKHelp: (count) =>
    count === 1
      ? "le token le plus probable seulement"
      : `les ${formatCount(count)} tokens les plus probables`,
  again: "L’écrire autrement",
  outputWait: "Rien encore.",
  speed: (tokensPerSecond) =>
    `${formatLarge(tokensPerSecond)} tokens par seconde, sur le processeur de cet appareil.`,
  next: "Ce qu’il écrirait ensuite",
  early: "Ses débuts",
  earlyHelp:
    "Les mêmes premiers mots, continués par une version ancienne et par la plus récente qui ait été mesurée.",
};
