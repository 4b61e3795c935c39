import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatPart,
  formatProbability,
  formatTime,
  plural,
} from "../../ui/format.ts";
import type { VolunteerWords } from "./en.ts";

const insecure =
  "Esta página llegó por HTTP sin cifrar, y ahí los navegadores desactivan la tarjeta gráfica, las claves y los bloqueos que el " +
  "entrenamiento necesita. Funciona desde una dirección https://, o desde localhost en el propio equipo del servidor.";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "Muchos navegadores, una pequeña mente.",
  neighbours: "Un estornino sigue a siete vecinos; una murmuración parece una sola mente.",

  noRunLink: "Cómo crear uno",

  consentTitle: (run) => `¿Ayudas a entrenar «${run}»?`,
  whatFor: "Para qué",
  whatRuns: "Qué se ejecuta",
  whatRunsText: (parameters, audits = false) =>
    `Un pequeño modelo de lenguaje de ${formatLarge(parameters)} parámetros (con el diseño de GPT-2) se entrena en esta pestaña, en tu ` +
    "tarjeta gráfica o tu procesador, unos segundos cada vez, con pasajes de texto que reparte el servidor." +
    (audits
      ? " De vez en cuando comprueba el cambio del modelo que hizo otra persona, sin saber de quién es."
      : ""),
  forWhom: "Para quién",
  forWhomText: (operator, host) =>
    `${operator === "" ? "Quien lleva el servidor" : operator}, en ${host}. El modelo es de todo el mundo: cada versión se puede ` +
    "descargar aquí, también tú.",
  leaves: "Qué sale de tu dispositivo",
  leavesText:
    "Los cambios en los pesos del modelo, su pérdida y su duración, qué tipo de dispositivo y navegador los hizo, y una clave " +
    "aleatoria creada aquí para distinguir tu trabajo del de los demás. Nunca tus archivos, tu historial ni nada que escribas.",
  sees: "Qué ve el servidor",
  seesText: "Tu dirección de internet, como cualquier página que visitas.",
  costs: "Qué te cuesta",
  costsText: (down, round) =>
    `Unos ${formatBytes(down)} una vez${round === undefined ? "" : `, luego unos ${formatBytes(2 * round)} por ronda`}, y algo de ` +
    "electricidad.",
  until: "Hasta cuándo",
  untilText: (done, budget) =>
    `El proyecto acaba cuando el modelo ha aprendido de ${formatLarge(budget)} tokens de texto; ya van ${formatLarge(done)}. Puedes ` +
    "irte mucho antes: no se espera nada de ti, y al parar se para en el acto.",
  agree: "Empezar a entrenar",
  promise:
    "Hasta ahora no se ha ejecutado nada. Puedes pausar o parar cuando quieras; cerrar la pestaña también lo para.",
  insecure,

  pause: "Pausar",
  pauseFor: "Pausar…",
  pauseLengths: { "half-hour": "30 minutos", hour: "una hora", tomorrow: "hasta mañana" },
  pausedUntil: (at) => `El entrenamiento sigue solo: ${formatTime(at)}.`,
  resume: "Seguir",
  stop: "Parar",
  start: "Empezar de nuevo",
  override: "Entrenar de todos modos",
  presets: "¿Cuánto de este equipo?",
  presetNames: { quiet: "Discreto", balanced: "Equilibrado", allIn: "A tope" },
  presetHelp: {
    quiet: "una quinta parte del tiempo, y solo mientras miras",
    balanced: "la mitad del tiempo; descansa con batería y cuando el equipo se calienta",
    allIn: "todo el tiempo, cueste lo que cueste",
  },
  presetOwn: "Personalizado",
  tune: "Ajuste fino",
  startPaused: "Empezar en pausa cada vez que se abra esta página",
  keepAwake: "Mantener la pantalla encendida mientras entrena",
  pauseOnSaver: "Pausar mientras este navegador ahorra datos",
  pauseOnHeat: "Pausar cuando el equipo esté caliente u ocupado",
  hoursOn: "Entrenar solo de",
  hoursTo: "a",
  hoursFromLabel: "Entrenar desde esta hora",
  hoursToLabel: "Entrenar hasta esta hora",
  share: "Uso de este equipo",
  shareText: (share) => `${formatProbability(share)} del tiempo`,
  pauseWhenHidden: "Pausar cuando esta pestaña no se vea",
  pauseOnBattery: "Pausar con batería",
  withPeers: "Compartir con otros visitantes",
  withPeersHelp:
    "Los navegadores de los visitantes se pasan entonces el modelo y el texto entre sí, lo que alivia a este servidor. Las personas " +
    "con las que te conectas ven tu dirección de internet, como en una videollamada, y tú ves la suya. Salen como mucho 8 megabits " +
    "por segundo. Desactivado mientras no lo actives.",
  withPeersState: (browsers, given, taken) =>
    `Conectado con ${plural(browsers, "navegador", "navegadores")}: ${formatBytes(given)} dados, ${formatBytes(taken)} recibidos.`,
  yourPart: "Tu parte",

  download: "Descargar",
  train: "Entrenar",
  send: "Enviar",
  notYet: "todavía no",
  downloadOf: { weights: "pesos", text: "texto", change: "cambios" },
  stepOf: (step, steps) => `paso ${formatCount(step)}/${formatCount(steps)}`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} tokens/s`,
  forVersion: (version) => `para la versión ${formatCount(version + 1)}`,

  reading: "Lo que está leyendo",
  readingLabel: "El pasaje, token a token: las flechas del teclado lo recorren",
  readingHelp: "Señala una palabra, o usa las flechas, para ver qué esperaba ahí el modelo.",
  readingMissing:
    "No se pudo cargar el tokenizador, así que el pasaje no se muestra. El entrenamiento sigue, y cada ronda lo intenta otra vez.",
  readingWait: "El primer pasaje aparece cuando empieza la primera ronda de entrenamiento.",
  passage: (version, right, tokens) =>
    `La versión ${formatCount(version)} acertó aquí ${formatCount(right)} de ${plural(tokens, "token", "tokens")}.`,
  lineBreak: "salto de línea",
  blank: "espacio",
  autoOn: "Recorrer",
  autoOff: "Detener",
  nextPassage: "Pasaje siguiente",

  look: "Una mirada al interior",
  lookHelp:
    "Lo que el modelo de esta pestaña hace con el pasaje, calculado aquí con los pesos que se están entrenando.",

  yourLoss: "Tu pérdida",
  lossHelp: "nats por token, en el texto con el que entrenas",
  lossInWords: (nats) =>
    `nats por token, en el texto con el que entrenas: tan bueno como adivinar entre ${formatChoices(nats)} tokens`,
  passageInWords: (nats) =>
    `Este pasaje le resulta tan difícil como adivinar cada token entre ${formatChoices(nats)}.`,
  credit: "Crédito",
  creditHelp: "tokens tuyos incorporados al modelo",
  creditRecent: (tokens) => `${formatLarge(tokens)} de ellos enviados en el último día`,
  refusals: "Rechazados",
  lastAt: (at) => `el último, ${formatTime(at)}`,
  sentTokens: "Entrenado con",
  sentHelp: "tokens enviados desde que se abrió esta página",
  traffic: "Tráfico",
  trafficText: (down, up) => `${formatBytes(down)} recibidos, ${formatBytes(up)} enviados`,
  creditDetail: (merged, pending, refused) =>
    `${plural(merged, "delta incorporado", "deltas incorporados")}, ${formatCount(pending)} en espera, ` +
    `${plural(refused, "rechazado", "rechazados")}`,

  people: "Los nombres, y tus datos",
  peopleHelp: "Nombres de voluntarios, cómo elegir el tuyo, y los datos que el servidor tiene sobre ti.",

  run: "El proyecto",
  heldOut: "Pérdida en texto reservado",
  heldOutHelp:
    "Cuánto sorprende al modelo un texto con el que nadie entrena, en nats por token. Cuanto menos, mejor.",
  heldOutNow: (nats, bits) => ` Ahora ${nats}, es decir, ${bits}.`,
  rounds: (ms) =>
    `Todos entrenan a la vez: más o menos cada ${formatDuration(ms)} se hace una versión con lo que llegó a tiempo.`,
  oneMore: (part) =>
    `Un navegador más haría ahora que cada versión aprendiera más o menos un ${formatPart(part)} más.`,
  turns: "Los voluntarios se turnan en cada versión; cuando hay muchos, algunos esperan.",
  sample: "Lo que escribe ahora",
  playgroundLink: "Pruébalo con tus propias palabras",
  volunteers: "Voluntarios",
  tokens: "Tokens aprendidos",
  birds: (volunteers) =>
    volunteers === 0
      ? "Nadie está entrenando ahora mismo."
      : `${plural(volunteers, "voluntario", "voluntarios")} ahora, un pájaro por cada uno.`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "El único pájaro eres tú: ahora mismo no hay nadie más."
      : `${plural(volunteers, "voluntario", "voluntarios")} aquí, un pájaro por cada uno. El tuyo brilla.`,
  finishedTitle: "El modelo está terminado",
  finishedText:
    "Este proyecto ha acabado: ya no queda nada que entrenar, y el modelo está aquí para quedarse.",
  downloadModel: "Descargar el modelo",
  statusPage: "Cómo va el proyecto",
  howPage: "Cómo funciona el entrenamiento",
  howLink:
    "¿Es nuevo para ti? Mira cómo funciona el entrenamiento, con una pequeña red que aprende ante tus ojos",
  playgroundPage: "Zona de pruebas",
  benchPage: "¿Cómo de rápido es este navegador?",
  benchLink: "Medir a qué velocidad podría entrenar este navegador",
  downloadHelp: "safetensors, versión a versión",

  paused: {
    visitor: "En pausa, por ti.",
    hidden: "En pausa mientras esta pestaña no se vea.",
    battery: "En pausa mientras el equipo funcione con batería.",
    saver: "En pausa mientras este navegador ahorre datos.",
    heat: "En pausa mientras el equipo esté caliente u ocupado.",
    schedule: "En pausa fuera de las horas que elegiste.",
    budget: "En pausa: se han agotado los datos que este sitio permite para hoy.",
    site: "En pausa, por el sitio en el que estás.",
    "other-tab": "Otra pestaña está entrenando. Esta toma el relevo cuando aquella pare.",
    operator: "Quien lleva el proyecto lo ha puesto en pausa. El entrenamiento seguirá cuando lo reanude.",
  },
  unable: {
    insecure,
    "no-device":
      "Ninguna forma de entrenar funcionó en este navegador: ni la tarjeta gráfica ni el procesador pasaron la comprobación.",
    "no-ed25519":
      "Este navegador no sabe crear claves Ed25519, con las que se firma tu trabajo. Una versión actual sí sabe.",
    stuck:
      "El entrenamiento no empezó: una parte de este navegador no responde. Inténtalo de nuevo, o reinicia el navegador.",
    failed: "El entrenamiento falló de una manera que esta página no esperaba.",
  },
  downloading: {
    weights: "Descargando los pesos del modelo…",
    text: "Descargando texto para entrenar…",
    change: "Poniéndose al día con la versión más nueva…",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "JavaScript puro" },
  software: (device) => `${device} (por software, en el procesador)`,
  phase: {
    starting: "Empezando…",
    probing: (device) => `Probando lo que puede este equipo (${device})…`,
    queued: "Esperando el próximo trozo de trabajo.",
    training: "Entrenando con un pasaje…",
    auditing: "Comprobando para el servidor el delta de otra persona…",
    sending: (bytes) => `Enviando tu delta (${formatBytes(bytes)})…`,
    waiting: (ms) => `Ahora no hay trabajo. Se pregunta otra vez en ${formatDuration(ms)}.`,
    quarantined: (ms) =>
      "Tu trabajo no pasó una comprobación, lo que también le puede ocurrir a un trabajo honrado. El servidor no acepta ninguno " +
      `durante ${formatDuration(ms)}; después el entrenamiento sigue solo.`,
    banned:
      "Quien lleva este proyecto ha vetado este navegador, así que el servidor no acepta trabajo de él. Solo esa persona puede " +
      "deshacerlo; pregúntale si crees que es un error.",
    away: (why, ms) => `${why} Se intenta de nuevo en ${formatDuration(ms)}; no se pierde nada.`,
    finished: "El proyecto ha acabado, y el modelo también. Gracias.",
    stopped: "Parado. No se ejecuta nada.",
  },
  noAnswer: "El servidor no responde.",
  spoken: {
    training: "Entrenando.",
    starting: "Empezando.",
    waiting: "Esperando trabajo.",
    away: "El servidor no responde. Se intenta de nuevo.",
  },

  refusedWork: (why) => `Tu último trabajo no se aceptó: ${why}.`,
  refusal: {
    late: "llegó demasiado tarde, el modelo ya había avanzado. Se guarda para tu próximo delta",
    expired: "llegó después de su plazo, y su texto se le dio a otra persona",
    repeated: "ya se había enviado antes",
    invalid: "el entrenamiento en este dispositivo dio números no válidos (NaN)",
    large: "habría cambiado el modelo más de lo que puede el entrenamiento",
    paused: "quien lleva el proyecto lo ha puesto en pausa",
    finished: "el proyecto ha acabado",
    quarantined:
      "un trabajo anterior de este navegador no pasó una comprobación, y durante un tiempo no se acepta ninguno",
    banned: "quien lleva el proyecto ha vetado este navegador",
    busy: "llegaron demasiadas peticiones a la vez",
  },
  refusalByCode: {
    unread: (code) => `el servidor no pudo leer lo que llegó («${code}»)`,
    unfit: (code) => `no encaja con este proyecto o con la clave de este navegador («${code}»)`,
    outdated: (code) =>
      `esta página es más antigua o más nueva que el servidor («${code}»); recargarla ayuda`,
    server: (code) => `el servidor no puede aceptarlo en este momento («${code}»)`,
  },
};
