import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0
      ? "Cargando el modelo…"
      : `Cargando el modelo: ${formatBytes(bytes)} de ${formatBytes(total)}…`,
  failed: "El modelo no se pudo cargar o no escribió.",
  retry: "Intentar de nuevo",
  prompt: "Tus palabras",
  write: "Escribir",
  stop: "Parar",
  output: "Lo que escribió",
  writing: "Escribiendo…",
  ask: "Probar el modelo",
  askHelp: (bytes) =>
    `Escribe un comienzo y el modelo sigue, aquí en tu navegador. Nada de lo que escribas sale de tu dispositivo. La primera vez se descargan como mucho ${formatBytes(bytes)}.`,
  back: "Volver",
};
