import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability, plural } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "Idioma",
  languageMissing: "No se pudieron cargar los textos de ese idioma.",
  loading: "Preguntando al servidor por su proyecto…",
  serverAway: "El servidor no responde. Esta página lo sigue intentando.",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "Algo entre tú y el servidor desvía las peticiones: ",
      answered: (status) => `Algo entre tú y el servidor respondió ${status}: `,
      advice: {
        "too-large":
          "un proxy deja pasar menos de lo que acepta el servidor. Quien lo administra debe subir el límite (nginx: client_max_body_size).",
        "headers-too-large":
          "un proxy no acepta cabeceras de este tamaño. Borra las cookies de este sitio; si no basta, quien lo administra debe subir el límite (nginx: large_client_header_buffers).",
        forbidden:
          "un proxy, un cortafuegos o esta red prohíbe la petición. Quien lo administra debe dejar pasar las rutas bajo /api/; en una red que pide iniciar sesión, inicia sesión primero.",
        "not-found":
          "un proxy manda esta dirección a otro sitio. Comprueba la dirección; quien lo administra debe pasar todas las rutas bajo la del servidor.",
        "too-many": "un proxy deja pasar menos peticiones. Quien lo administra debe subir el límite.",
        gateway:
          "el proxy está ahí, pero el servidor que hay detrás no le responde. Quien lo administra debe arrancarlo, o corregir su dirección en el proxy.",
        status:
          "la respuesta no es del propio servidor. Quien lo administra encontrará el motivo en el registro del proxy.",
        page: "llegó una página web en lugar de una respuesta. En una red que pide iniciar sesión, iníciala; si no, comprueba la dirección.",
        redirect:
          "la respuesta era una redirección. En una red que pide iniciar sesión, iníciala; si no, usa la dirección a la que lleva.",
        certificate:
          "El certificado del servidor no vale: ha caducado, es para otro nombre, o no lo ha firmado nadie en quien confíe este equipo. Quien administra el servidor debe renovarlo.",
        "unknown-host": "El nombre del servidor no se conoce aquí. Comprueba la dirección y la red.",
        refused:
          "Nada escucha en la dirección del servidor. Comprueba la dirección y el puerto, o arranca el servidor.",
        unreachable: "El servidor no responde.",
      },
    }),
  keepsTrying: (what) => `${what} Esta página lo sigue intentando.`,
  noRun: "Este servidor aún no tiene ningún proyecto.",
  mismatch:
    "Esta página y el servidor hablan versiones distintas del protocolo, y recargar no ayudó. Seguramente acaban de actualizar " +
    "el servidor: prueba otra vez dentro de un minuto.",
  retry: "Intentar de nuevo",
  reload: "Recargar la página",
  partMissing:
    "No se pudo cargar esta parte. Puede que fallara la conexión, que algo la bloquee, o que esta página sea más antigua que la " +
    "del servidor.",
  guess: "Esperaba",
  truth: "El texto dice",
  right: "Acierto",
  wrong: "Fallo",
  verdict: (what, chance) => `${what}. ${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `Al correcto le daba más o menos 1 posibilidad entre ${formatCount(1 / probability)}.`
      : `Al correcto le daba una probabilidad del ${formatProbability(probability)}.`,
  sampleOf: (version) => `Escrito por la versión ${formatCount(version)}, sin retocar.`,
  sampleEarly: "Antes",
  sampleNow: "Ahora",
  samplePick: "Comparar con la versión",
  sampleWait: "Todavía no ha escrito nada.",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `${formatBits(bits)} bits por byte`;
  },
  chartWait: "La primera medición está en camino.",
  chartPoint: (version, loss, bits, tokens) =>
    `Versión ${formatCount(version)}: ${formatLoss(loss)} nats${bits === "" ? "" : ` (${bits})`} tras ` +
    `${formatLarge(tokens)} tokens`,
  chartSummary: (from, to, versions) =>
    `En ${plural(versions, "versión", "versiones")}, la pérdida en el texto reservado pasó de ${formatLoss(from)} a ` +
    `${formatLoss(to)} nats.`,
  uniform: "cualquier token",
  unigram: "por frecuencia",
  bigram: "por el token anterior",
  baselinesHelp:
    "Discontinuas: la pérdida de adivinar cualquier token, por frecuencia, o por el token anterior.",
  version: "Versión",
  who: "Quién está detrás",
  contact: "Contacto",
  more: "Más información",
  textOf: "El texto",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source} (${licence})`,
  modelLicence: "La licencia del modelo",
};
