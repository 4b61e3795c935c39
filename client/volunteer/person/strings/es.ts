import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "Preguntando al servidor…",
  none: "En esta dirección no hay página de ningún voluntario. Quien la tenía quizá la haya quitado.",
  away: "El servidor no responde. Recarga la página dentro de un rato.",
  lead: "Una persona voluntaria, cuyo navegador entrena un modelo de lenguaje junto con muchos otros.",
  tokens: "Tokens en el modelo",
  recent: "Enviados en el último día",
  merged: "Deltas incorporados",
  keys: (keys) => `De ${formatCount(keys)} navegadores, cuyas claves están vinculadas.`,
  proofs: "Pruebas",
  proofsHelp:
    "Los deltas más nuevos que están en el modelo. Cada uno lleva al registro que el servidor firmó al incorporarlo. Tu navegador " +
    "puede comprobar las firmas por sí mismo.",
  noProofs: "Ningún delta de esta persona está todavía en el modelo.",
  check: "Comprobarlas aquí",
  checking: "Comprobando…",
  hold: (of) => `Las ${formatCount(of)} se sostienen: el servidor firmó que estos deltas están en el modelo.`,
  broken: (hold, of) =>
    `Solo ${formatCount(hold)} de ${formatCount(of)} se sostienen. El servidor no responde por las demás.`,
  teamLead: "Un equipo de voluntarios, cuyos navegadores entrenan juntos un modelo de lenguaje.",
  members: "Personas",
  people: "Quién tiene nombre",
  peopleHelp: "Los miembros que eligieron un nombre. Los demás también cuentan.",
  peopleColumns: ["Nombre", "Tokens"],
  columns: ["Versión", "Tokens", "Delta"],
};
