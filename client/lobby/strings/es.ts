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
  title: "¿Qué te gustaría ayudar a entrenar?",
  lead:
    "Cada uno de estos proyectos es un modelo de lenguaje que muchos navegadores entrenan juntos. Elige uno: su página dice qué se " +
    "ejecutaría en tu equipo, y te pregunta antes de hacer nada.",
  loading: "Preguntando al servidor por sus proyectos…",
  away: "El servidor no responde. Lo que se ve puede ser antiguo; esta página lo sigue intentando.",
  none: "Aquí todavía no hay ningún proyecto.",
  noneHelp: "Si este servidor es tuyo, crea uno en la página de administración.",
  operator: "Página de administración",
  by: (who) => `de ${who}`,
  noPurpose: "Quien lo lleva no ha dicho para qué es.",
  mostHelp: "Aquí es donde más ayudarías ahora",
  anywhere: "Donde más ayudo",
  anywhereHelp:
    "Acepta una vez. El servidor te envía entonces al proyecto donde, según su propia medida, más ayuda otro navegador. Si otro proyecto te necesita mucho más, te lleva allí y lo dice.",
  anywhereAsk: "Ayudar en cualquiera…",
  anywhereRuns: "Aceptarías ayudar a cada uno de estos proyectos:",
  anywhereCost: (first) => `(${formatBytes(first)} la primera vez que se elige)`,
  anywhereWhat:
    "Tu navegador entrena en esta página, a media velocidad, mientras está abierta. Descarga el modelo y el texto de un proyecto. Envía cambios del modelo, con otra clave aleatoria para cada proyecto, y nunca nada tuyo. Cambia como mucho cada pocos minutos, entre dos trabajos. La página de cada proyecto dice más y tiene los controles; allí un botón termina esto. Los proyectos que se creen después te preguntarán por separado.",
  anywhereAgree: "Aceptar y empezar a entrenar",
  anywhereNot: "Ahora no",
  anywhereFailed:
    "Este navegador no guarda nada para este sitio y no pudo recordar que aceptaste. Elige mejor un proyecto abajo.",
  state: { running: "En marcha", paused: "En pausa", finished: "Terminado" },
  howFar: "Avance",
  ofBudget: (part, budget) => `${formatProbability(Math.min(1, part))} de ${formatLarge(budget)} tokens`,
  loss: "Pérdida",
  notMeasured: "aún sin medir",
  here: "Aquí ahora",
  hereCount: (volunteers) => (volunteers === 0 ? "nadie" : plural(volunteers, "voluntario", "voluntarios")),
  oneMore: "Un navegador más",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "espera a que se reanude";
    if (part !== null) return `hace avanzar cada versión un ${formatPart(part)}`;
    return volunteers === 0 ? "lo pone en marcha otra vez" : "ayuda; cuánto, aún no se ha medido";
  },
  cost: "Qué cuesta",
  costOf: (first, up, down) =>
    `${formatBytes(first)} una vez, luego unos ${formatBytes(up)} enviados y ${formatBytes(down)} recibidos por ronda`,
  size: "Modelo",
  parameters: (count) => `${formatLarge(count)} parámetros`,
  look: "Ver y participar",
  lookAt: (name) => `Ver y participar: ${name}`,
  status: "Estado",
  statusOf: (name) => `Estado de ${name}`,
  archive: "Terminados",
  archiveLead: "Estos proyectos han llegado a su fin. Lo que hicieron se queda aquí, para todo el mundo.",
  thanks: (deltas) =>
    deltas === 0
      ? "No contiene el trabajo de nadie."
      : `Hecho con ${plural(deltas, "trozo", "trozos")} de trabajo de voluntarios. Gracias.`,
  made: (version, parameters, loss) =>
    `${plural(version, "versión", "versiones")}, ${formatLarge(parameters)} parámetros. ${loss}.`,
  nats: (loss) => `${formatLoss(loss)} nats`,
  download: "Descargar el modelo",
  downloadOf: (name) => `Descargar el modelo de ${name}`,
  wrote: "Lo que escribía al final",
  record: "La prueba de la última versión: su registro firmado",
  recordOf: (name) => `La prueba de la última versión, su registro firmado: ${name}`,
  curve: "Su curva y sus voluntarios",
  curveOf: (name) => `Su curva y sus voluntarios: ${name}`,
  curveSummary: (from, to) => `La pérdida pasó de ${from} a ${to}`,
};
