import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `¿Ayudas a entrenar «${run}», para ${operator === "" ? host : `${operator} (${host})`}?`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `Un modelo de lenguaje de ${formatLarge(parameters)} parámetros se entrena en este recuadro, más o menos el ` +
    `${formatProbability(share)} del tiempo de este dispositivo, mientras esta página esté abierta, hasta que haya aprendido de ` +
    `${formatLarge(tokenBudget)} tokens. Tu navegador envía los cambios en sus pesos, con una clave aleatoria, su pérdida, ` +
    "el tipo de dispositivo y la dirección de este sitio. Nunca envía tus archivos, ni lo que haces aquí. El servidor ve tu " +
    "dirección de internet." +
    (audits
      ? " De vez en cuando comprueba el cambio del modelo que hizo otra persona, sin saber de quién es."
      : ""),
  budget: (budget, down) =>
    ` Para empezar descarga unos ${formatBytes(down)}` +
    (budget === null ? "." : `, y se detiene a los ${formatBytes(budget)} de tráfico al día.`),
  licence: (licence) => ` La licencia del modelo: ${licence}.`,
  agree: "Sí, participo",
  refuse: "No, gracias",
  asking: "Se le pregunta al visitante.",
  revoke: "Olvidarme",
  ask: "Probar el modelo",
  about: "¿Qué es esto?",
};
