import { formatCount, formatPart, plural } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "Cuando tu trabajo forme parte de una versión del modelo, aquí aparecerá la prueba.",
  proven: (version) => `Probado: tu trabajo forma parte de la versión ${formatCount(version)}.`,
  meaning: ({ version, place, of, share }) =>
    `El servidor firmó que la versión ${formatCount(version)} se hizo con ${plural(of, "delta", "deltas")}, y que el tuyo es el número ` +
    `${formatCount(place)}, con el ${formatPart(share)} del peso. Esta página comprobó la firma. El registro de cada versión nombra ` +
    "el anterior, así que el servidor no puede retractarse a escondidas.",
  delta: "La huella de tu delta (SHA-256):",
  record: (version) => `El registro de la versión ${formatCount(version)}, tal como se firmó`,
  broken:
    "La prueba del servidor para tu trabajo no se sostuvo: su firma no es aquella con la que empezó este proyecto, o nombra un " +
    "trabajo que no es el tuyo. Quizá quieras parar.",
};
