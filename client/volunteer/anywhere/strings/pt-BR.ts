import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Onde você mais ajuda",
  chosen: "O servidor escolheu este treinamento: mais um navegador ajuda mais aqui agora.",
  movedFrom: (run) => `O servidor trouxe você de “${run}” para cá: mais um navegador ajuda mais aqui agora.`,
  on: "Você ajuda onde mais ajuda: entre dois trabalhos, o servidor pode levar você a outro treinamento.",
  end: "Ficar aqui de agora em diante",
  ended: "Você fica aqui. Os outros treinamentos deste servidor perguntam de novo.",
  lobby: "Todos os treinamentos deste servidor",
};
