import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0
      ? "Carregando o modelo…"
      : `Carregando o modelo: ${formatBytes(bytes)} de ${formatBytes(total)}…`,
  failed: "O modelo não pôde ser carregado ou não escreveu.",
  retry: "Tentar de novo",
  prompt: "As suas palavras",
  write: "Escrever",
  stop: "Parar",
  output: "O que ele escreveu",
  writing: "Escrevendo…",
  ask: "Experimentar o modelo",
  askHelp: (bytes) =>
    `Escreva um começo, e o modelo continua, aqui no seu navegador. Nada do que você digita sai do seu aparelho. Na primeira vez são baixados no máximo ${formatBytes(bytes)}.`,
  back: "Voltar",
};
