import { formatBytes, formatCount, formatFixed, plural } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "Haverá algo para ver assim que o primeiro trecho for lido.",
  lookNow: (version) => `A versão ${formatCount(version)} lê:`,
  attention: "No que ele presta atenção",
  attentionHelp:
    "Para adivinhar o que vem depois de um token, o modelo olha para trás. Escolha um token: quanto mais marcado um anterior está, " +
    "mais esta cabeça olha para ele. Cada camada tem várias cabeças, e cada uma aprende a procurar outra coisa.",
  attentionLabel: "Tokens do trecho: as setas escolhem qual deles olha para trás",
  layer: "Camada",
  head: "Cabeça",
  attends: (token, seen, share) => `“${token}” olha mais para “${seen}” (${share}).`,
  attentionMap: (layer, head) =>
    `Atenção da camada ${formatCount(layer)}, cabeça ${formatCount(head)}: uma linha para cada token, uma coluna para cada um que ele ` +
    "olha.",
  tokenMap: "Onde ficam os tokens",
  tokenMapHelp: (numbers, shows) =>
    `Para o modelo, um token é um ponto de ${formatCount(numbers)} números. Aqui estão todos, achatados nas duas direções em que mais ` +
    `diferem (${shows} de todas as diferenças). Tokens de uso parecido se aproximam enquanto ele aprende.`,
  tokenMapLabel: (tokens) => `Um mapa de ${plural(tokens, "token", "tokens")}; os do trecho têm nome.`,
  nearest: (token) => `Os mais próximos de “${token}”:`,
  delta: "O que foi enviado",
  deltaWait: "O primeiro delta ainda não foi enviado.",
  deltaHelp: (steps, parameters) =>
    `Um delta diz quanto cada um dos ${formatCount(parameters)} números do modelo se moveu em ` +
    `${plural(steps, "passo", "passos")} de treinamento.`,
  deltaRatio: (ratio, changed) =>
    `Tudo junto é ${ratio} do tamanho dos pesos, e ${changed} deles chegam a mudar.`,
  deltaBytes: (bytes, plain) =>
    `${formatBytes(bytes)} foram enviados em vez de ${formatBytes(plain)}: ${formatFixed(plain / bytes, 1)} vezes menos. O que o ` +
    "arredondamento deixou de fora fica guardado aqui e entra no próximo delta.",
  deltaBars: (largest) =>
    `Quantos pesos se moveram e quanto, de −${largest} à esquerda, passando por zero, até +${largest}.`,
};
