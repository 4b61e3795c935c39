import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "Perguntando ao servidor…",
  none: "Não há página de nenhum voluntário neste endereço. Quem tinha uma talvez a tenha retirado.",
  away: "O servidor não responde. Recarregue a página daqui a pouco.",
  lead: "Uma pessoa voluntária, cujo navegador treina um modelo de linguagem com muitos outros.",
  tokens: "Tokens no modelo",
  recent: "Enviados no último dia",
  merged: "Deltas incorporados",
  keys: (keys) => `De ${formatCount(keys)} navegadores, com chaves vinculadas.`,
  proofs: "Provas",
  proofsHelp:
    "Os deltas mais novos que estão no modelo. Cada um leva ao registro que o servidor assinou ao incorporá-lo. O seu navegador pode " +
    "conferir as assinaturas por conta própria.",
  noProofs: "Nenhum delta desta pessoa está no modelo ainda.",
  check: "Conferir aqui",
  checking: "Conferindo…",
  hold: (of) => `Todas as ${formatCount(of)} valem: o servidor assinou que estes deltas estão no modelo.`,
  broken: (hold, of) =>
    `Só ${formatCount(hold)} de ${formatCount(of)} valem. O servidor não responde pelas outras.`,
  teamLead: "Uma equipe de voluntários, cujos navegadores treinam juntos um modelo de linguagem.",
  members: "Pessoas",
  people: "Quem tem nome",
  peopleHelp: "Membros que escolheram um nome. Os outros também contam.",
  peopleColumns: ["Nome", "Tokens"],
  columns: ["Versão", "Tokens", "Delta"],
};
