import {
  formatBytes,
  formatLarge,
  formatLoss,
  formatPart,
  formatProbability,
  plural,
} from "../../ui/format.ts";
import type { LobbyWords } from "./en.ts";

export const words: LobbyWords = {
  title: "O que você gostaria de ajudar a treinar?",
  lead:
    "Cada um destes projetos é um modelo de linguagem que muitos navegadores treinam juntos. Escolha um: a página dele diz o que " +
    "rodaria na sua máquina, e pergunta antes de fazer qualquer coisa.",
  loading: "Perguntando ao servidor sobre os projetos…",
  away: "O servidor não responde. O que aparece pode ser antigo; esta página continua tentando.",
  none: "Ainda não há nenhum projeto aqui.",
  noneHelp: "Se este servidor é seu, crie um na página de administração.",
  operator: "Página de administração",
  by: (who) => `de ${who}`,
  noPurpose: "Quem o mantém não disse para que serve.",
  mostHelp: "É aqui que você mais ajudaria agora",
  anywhere: "Onde mais ajudo",
  anywhereHelp:
    "Aceite uma vez. O servidor então envia você ao projeto em que, pela medida dele, mais um navegador ajuda mais. Se outro projeto precisar muito mais de você, ele leva você para lá e avisa.",
  anywhereAsk: "Ajudar em qualquer um…",
  anywhereRuns: "Você aceitaria ajudar cada um destes projetos:",
  anywhereCost: (first) => `(${formatBytes(first)} na primeira vez que ele é escolhido)`,
  anywhereWhat:
    "Seu navegador treina nesta página, a meia velocidade, enquanto ela está aberta. Ele baixa o modelo e o texto de um projeto. Ele envia mudanças do modelo, com outra chave aleatória para cada projeto, e nunca nada seu. Ele muda no máximo a cada poucos minutos, entre dois trabalhos. A página de cada projeto diz mais e tem os controles; um botão ali encerra isso. Os projetos criados depois perguntam a você separadamente.",
  anywhereAgree: "Aceitar e começar a treinar",
  anywhereNot: "Agora não",
  anywhereFailed:
    "Este navegador não guarda nada para este site e não pôde lembrar que você aceitou. Em vez disso, escolha um projeto abaixo.",
  state: { running: "Em andamento", paused: "Em pausa", finished: "Terminado" },
  howFar: "Andamento",
  ofBudget: (part, budget) => `${formatProbability(Math.min(1, part))} de ${formatLarge(budget)} tokens`,
  loss: "Perda",
  notMeasured: "ainda não medida",
  here: "Aqui agora",
  hereCount: (volunteers) => (volunteers === 0 ? "ninguém" : plural(volunteers, "voluntário", "voluntários")),
  oneMore: "Mais um navegador",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "espera até que continue";
    if (part !== null) return `faz cada versão avançar ${formatPart(part)}`;
    return volunteers === 0 ? "põe o projeto para andar de novo" : "ajuda; quanto, ainda não foi medido";
  },
  cost: "Quanto custa",
  costOf: (first, up, down) =>
    `${formatBytes(first)} uma vez, depois cerca de ${formatBytes(up)} enviados e ${formatBytes(down)} recebidos por rodada`,
  size: "Modelo",
  parameters: (count) => `${formatLarge(count)} parâmetros`,
  look: "Ver e participar",
  lookAt: (name) => `Ver e participar: ${name}`,
  status: "Situação",
  statusOf: (name) => `Situação de ${name}`,
  archive: "Terminados",
  archiveLead: "Estes projetos chegaram ao fim. O que fizeram fica aqui, para todo mundo.",
  thanks: (deltas) =>
    deltas === 0
      ? "Não há nele o trabalho de ninguém."
      : `Feito de ${plural(deltas, "pedaço", "pedaços")} de trabalho de voluntários. Obrigado.`,
  made: (version, parameters, loss) =>
    `${plural(version, "versão", "versões")}, ${formatLarge(parameters)} parâmetros. ${loss}.`,
  nats: (loss) => `${formatLoss(loss)} nats`,
  download: "Baixar o modelo",
  downloadOf: (name) => `Baixar o modelo de ${name}`,
  wrote: "O que ele escrevia no fim",
  record: "A prova da última versão: o registro assinado",
  recordOf: (name) => `A prova da última versão, o registro assinado: ${name}`,
  curve: "A curva e os voluntários",
  curveOf: (name) => `A curva e os voluntários: ${name}`,
  curveSummary: (from, to) => `A perda foi de ${from} a ${to}`,
};
