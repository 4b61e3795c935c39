import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "Área de testes",
  tagline: "O modelo como ele está agora, neste navegador. Nada do que você digita sai do seu aparelho.",
  back: "Voltar ao treinamento",
  load: (bytes) => `Carregar o modelo (no máximo ${formatBytes(bytes)})`,
  loadNote: "Ele é baixado uma vez. Se você já treinou aqui, só as mudanças são baixadas.",
  version: (version) => `A versão ${formatCount(version)} está carregada.`,
  newer: (version) => `Usar a versão ${formatCount(version)}`,
  promptHelp: "O modelo continua a partir daqui, no tom do texto em que treinou.",
  temperature: "Temperatura",
  temperatureHelp: (value) =>
    value === 0
      ? "0: sempre o token mais provável, o mesmo a cada vez"
      : `${formatFixed(value, 1)}: ${value < 0.7 ? "cauteloso, tende a se repetir" : value <= 1.1 ? "como aprendeu" : "ousado, logo sem sentido"}`,
  topK: "Escolher entre",
  topKHelp: (count) =>
    count === 1 ? "só o token mais provável" : `os ${formatCount(count)} tokens mais prováveis`,
  again: "Escrever de outro jeito",
  outputWait: "Nada ainda.",
  speed: (tokensPerSecond) =>
    `${formatLarge(tokensPerSecond)} tokens por segundo, no processador deste aparelho.`,
  next: "O que ele escreveria depois",
  early: "Como ele começou",
  earlyHelp:
    "As mesmas primeiras palavras, continuadas por uma versão antiga e pela mais nova que foi medida.",
};
