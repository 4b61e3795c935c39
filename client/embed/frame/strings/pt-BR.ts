import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `Você ajuda a treinar “${run}”, para ${operator === "" ? host : `${operator} (${host})`}?`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `Um modelo de linguagem de ${formatLarge(parameters)} parâmetros treina neste quadro, em cerca de ${formatProbability(share)} do ` +
    `tempo deste aparelho, enquanto esta página estiver aberta, até ter aprendido com ${formatLarge(tokenBudget)} tokens. Seu ` +
    "navegador envia as mudanças nos pesos, com uma chave aleatória, a perda, o tipo de aparelho e o endereço deste site. Ele nunca " +
    "envia os seus arquivos, nem o que você faz aqui. O servidor vê o seu endereço de internet." +
    (audits
      ? " De vez em quando ele confere a mudança no modelo feita por outra pessoa, sem saber de quem é."
      : ""),
  budget: (budget, down) =>
    ` Para começar, ele baixa cerca de ${formatBytes(down)}` +
    (budget === null ? "." : `, e para em ${formatBytes(budget)} de tráfego por dia.`),
  licence: (licence) => ` A licença do modelo: ${licence}.`,
  agree: "Sim, quero ajudar",
  refuse: "Não, obrigado",
  asking: "Perguntando ao visitante.",
  revoke: "Esquecer de mim",
  ask: "Experimentar o modelo",
  about: "O que é isto?",
};
