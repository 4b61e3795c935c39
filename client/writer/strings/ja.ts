import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0
      ? "モデルを読み込んでいます…"
      : `モデルを読み込んでいます：${formatBytes(total)} 中 ${formatBytes(bytes)}…`,
  failed: "モデルを読み込めなかったか、文章を書けませんでした。",
  retry: "もう一度試す",
  prompt: "あなたの言葉",
  write: "書く",
  stop: "停止",
  output: "書いたもの",
  writing: "書いています…",
  ask: "モデルを試す",
  askHelp: (bytes) =>
    `書き出しを入力すると、このブラウザーの中でモデルが続きを書きます。入力した内容が端末から出ることはありません。初回は最大 ${formatBytes(bytes)} をダウンロードします。`,
  back: "戻る",
};
