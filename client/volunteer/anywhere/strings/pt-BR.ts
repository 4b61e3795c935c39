import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Onde você mais ajuda",
  chosen: "O servidor escolheu este projeto: é aqui que mais um navegador faz mais falta agora.",
  movedFrom: (run) =>
    `O servidor trouxe você de “${run}” para cá: é aqui que mais um navegador faz mais falta agora.`,
  on: "Você aceitou ajudar onde mais ajuda: entre dois trabalhos, o servidor pode levar você a outro projeto.",
  end: "Ficar aqui de agora em diante",
  ended: "Você fica aqui. Os outros projetos deste servidor perguntam de novo.",
  lobby: "Todos os projetos deste servidor",
};
