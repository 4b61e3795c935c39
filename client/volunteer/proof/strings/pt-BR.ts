import { formatCount, formatPart, plural } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "Quando o seu trabalho estiver em uma versão do modelo, a prova aparecerá aqui.",
  proven: (version) => `Provado: o seu trabalho está na versão ${formatCount(version)}.`,
  meaning: ({ version, place, of, share }) =>
    `O servidor assinou que a versão ${formatCount(version)} foi feita de ${plural(of, "delta", "deltas")}, e que o seu é o número ` +
    `${formatCount(place)}, com ${formatPart(share)} do peso. Esta página conferiu a assinatura. O registro de cada versão cita o ` +
    "anterior, por isso o servidor não pode voltar atrás em silêncio.",
  delta: "A impressão digital do seu delta (SHA-256):",
  record: (version) => `O registro da versão ${formatCount(version)}, como foi assinado`,
  broken:
    "A prova do servidor para o seu trabalho não se sustentou: a assinatura não é aquela com que este projeto começou, ou ela cita " +
    "um trabalho que não é o seu. Talvez você queira parar.",
};
