import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability, plural } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "Idioma",
  languageMissing: "Não foi possível carregar os textos desse idioma.",
  loading: "Perguntando ao servidor sobre o projeto…",
  serverAway: "O servidor não responde. Esta página continua tentando.",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "Algo entre você e o servidor desvia os pedidos: ",
      answered: (status) => `Algo entre você e o servidor respondeu ${status}: `,
      advice: {
        "too-large":
          "um proxy deixa passar menos do que o servidor aceita. Quem o administra precisa aumentar o limite (nginx: client_max_body_size).",
        "headers-too-large":
          "um proxy não aceita cabeçalhos desse tamanho. Apague os cookies deste site; se não ajudar, quem o administra precisa aumentar o limite (nginx: large_client_header_buffers).",
        forbidden:
          "um proxy, um firewall ou esta rede proíbe o pedido. Quem o administra precisa deixar passar os caminhos sob /api/; em uma rede que pede login, faça login primeiro.",
        "not-found":
          "um proxy manda este endereço para outro lugar. Confira o endereço; quem o administra precisa repassar todos os caminhos sob o do servidor.",
        "too-many": "um proxy deixa passar menos pedidos. Quem o administra precisa aumentar o limite.",
        gateway:
          "o proxy está lá, mas o servidor atrás dele não responde a ele. Quem o administra precisa iniciá-lo, ou corrigir o endereço dele no proxy.",
        status:
          "a resposta não é do próprio servidor. Quem o administra encontra o motivo no registro do proxy.",
        page: "veio uma página da web no lugar de uma resposta. Em uma rede que pede login, faça login; senão, confira o endereço.",
        redirect:
          "a resposta foi um redirecionamento. Em uma rede que pede login, faça login; senão, use o endereço para o qual ele leva.",
        certificate:
          "O certificado do servidor não vale: venceu, é de outro nome, ou não foi assinado por ninguém em quem este aparelho confia. Quem administra o servidor precisa renová-lo.",
        "unknown-host": "O nome do servidor não é conhecido aqui. Confira o endereço e a rede.",
        refused: "Nada escuta no endereço do servidor. Confira o endereço e a porta, ou inicie o servidor.",
        unreachable: "O servidor não responde.",
      },
    }),
  keepsTrying: (what) => `${what} Esta página continua tentando.`,
  noRun: "Este servidor ainda não tem nenhum projeto.",
  mismatch:
    "Esta página e o servidor falam versões diferentes do protocolo, e recarregar não ajudou. O servidor deve ter acabado de ser " +
    "atualizado: tente de novo daqui a um minuto.",
  retry: "Tentar de novo",
  reload: "Recarregar a página",
  partMissing:
    "Não foi possível carregar esta parte. A conexão pode ter falhado, algo pode bloqueá-la, ou esta página é mais antiga que a do " +
    "servidor.",
  guess: "Ele esperava",
  truth: "O texto diz",
  right: "Acertou",
  wrong: "Errou",
  verdict: (what, chance) => `${what}. ${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `Ele dava ao certo cerca de 1 chance em ${formatCount(1 / probability)}.`
      : `Ele dava ao certo uma chance de ${formatProbability(probability)}.`,
  sampleOf: (version) => `Escrito pela versão ${formatCount(version)}, sem retoques.`,
  sampleEarly: "Antes",
  sampleNow: "Agora",
  samplePick: "Comparar com a versão",
  sampleWait: "Ele ainda não escreveu nada.",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `${formatBits(bits)} bits por byte`;
  },
  chartWait: "A primeira medição está a caminho.",
  chartPoint: (version, loss, bits, tokens) =>
    `Versão ${formatCount(version)}: ${formatLoss(loss)} nats${bits === "" ? "" : ` (${bits})`} depois de ` +
    `${formatLarge(tokens)} tokens`,
  chartSummary: (from, to, versions) =>
    `Em ${plural(versions, "versão", "versões")}, a perda no texto reservado foi de ${formatLoss(from)} a ${formatLoss(to)} nats.`,
  uniform: "qualquer token",
  unigram: "pela frequência",
  bigram: "pelo token anterior",
  baselinesHelp: "Tracejado: a perda de adivinhar qualquer token, pela frequência, ou pelo token anterior.",
  version: "Versão",
  who: "Quem está por trás",
  contact: "Contato",
  more: "Saiba mais",
  textOf: "O texto",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source} (${licence})`,
  modelLicence: "A licença do modelo",
};
