import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "Zona de pruebas",
  tagline:
    "El modelo tal como está ahora, en este navegador. Nada de lo que escribas sale de tu dispositivo.",
  back: "Volver al entrenamiento",
  load: (bytes) => `Cargar el modelo (como mucho ${formatBytes(bytes)})`,
  loadNote: "Se descarga una vez. Si ya has entrenado aquí, solo se descargan los cambios.",
  version: (version) => `La versión ${formatCount(version)} está cargada.`,
  newer: (version) => `Usar la versión ${formatCount(version)}`,
  promptHelp: "El modelo sigue desde aquí, con el tono del texto con el que se entrenó.",
  temperature: "Temperatura",
  temperatureHelp: (value) =>
    value === 0
      ? "0: siempre el token más probable, el mismo cada vez"
      : `${formatFixed(value, 1)}: ${value < 0.7 ? "prudente, tiende a repetirse" : value <= 1.1 ? "como aprendió" : "atrevido, pronto sin sentido"}`,
  topK: "Elegir entre",
  topKHelp: (count) =>
    count === 1 ? "solo el token más probable" : `los ${formatCount(count)} tokens más probables`,
  again: "Escribirlo de otra manera",
  outputWait: "Nada todavía.",
  speed: (tokensPerSecond) =>
    `${formatLarge(tokensPerSecond)} tokens por segundo, en el procesador de este dispositivo.`,
  next: "Lo que escribiría después",
  early: "Cómo empezó",
  earlyHelp:
    "Las mismas primeras palabras, continuadas por una versión temprana y por la más nueva que se midió.",
};
