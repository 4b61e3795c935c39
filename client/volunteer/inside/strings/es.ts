import { formatBytes, formatCount, formatFixed, plural } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "Habrá algo que ver en cuanto se lea el primer pasaje.",
  lookNow: (version) => `La versión ${formatCount(version)} lee:`,
  attention: "A qué presta atención",
  attentionHelp:
    "Para adivinar qué sigue a un token, el modelo mira hacia atrás. Elige un token: cuanto más marcado está uno anterior, más lo " +
    "mira esta cabeza. Cada capa tiene varias cabezas, y cada una aprende a buscar otra cosa.",
  attentionLabel: "Tokens del pasaje: las flechas eligen cuál mira hacia atrás",
  layer: "Capa",
  head: "Cabeza",
  attends: (token, seen, share) => `«${token}» mira sobre todo a «${seen}» (${share}).`,
  attentionMap: (layer, head) =>
    `Atención de la capa ${formatCount(layer)}, cabeza ${formatCount(head)}: una fila por cada token, una columna por cada uno al que ` +
    "mira.",
  tokenMap: "Dónde están los tokens",
  tokenMapHelp: (numbers, shows) =>
    `Para el modelo un token es un punto de ${formatCount(numbers)} números. Aquí están todos, aplanados a las dos direcciones en las ` +
    `que más difieren (${shows} de todas las diferencias). Los tokens de uso parecido se acercan a medida que aprende.`,
  tokenMapLabel: (tokens) =>
    `Un mapa de ${plural(tokens, "token", "tokens")}; los del pasaje llevan su nombre.`,
  nearest: (token) => `Los más cercanos a «${token}»:`,
  delta: "Lo que se envió",
  deltaWait: "Todavía no se ha enviado el primer delta.",
  deltaHelp: (steps, parameters) =>
    `Un delta dice cuánto se movió cada uno de los ${formatCount(parameters)} números del modelo en ` +
    `${plural(steps, "paso", "pasos")} de entrenamiento.`,
  deltaRatio: (ratio, changed) =>
    `Todo junto es el ${ratio} del tamaño de los pesos, y el ${changed} de ellos llega a cambiar.`,
  deltaBytes: (bytes, plain) =>
    `Se enviaron ${formatBytes(bytes)} en vez de ${formatBytes(plain)}: ${formatFixed(plain / bytes, 1)} veces menos. Lo que el ` +
    "redondeo dejó fuera se guarda aquí y se suma al próximo delta.",
  deltaBars: (largest) =>
    `Cuántos pesos se movieron y cuánto, de −${largest} a la izquierda, pasando por cero, a +${largest}.`,
};
