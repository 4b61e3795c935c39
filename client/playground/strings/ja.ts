import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "遊び場",
  tagline: "今のままのモデルを、このブラウザーで。入力した内容が端末から出ることはありません。",
  back: "学習に戻る",
  load: (bytes) => `モデルを読み込む（最大 ${formatBytes(bytes)}）`,
  loadNote: "ダウンロードは一度だけです。ここで学習したことがあれば、変更だけをダウンロードします。",
  version: (version) => `バージョン ${formatCount(version)} を読み込みました。`,
  newer: (version) => `バージョン ${formatCount(version)} を使う`,
  promptHelp: "モデルは、学習した文章の調子で、ここから続きを書きます。",
  temperature: "温度",
  temperatureHelp: (value) =>
    value === 0
      ? "0：いつも最も確からしいトークン。毎回同じです"
      : `${formatFixed(value, 1)}：${value < 0.7 ? "慎重で、繰り返しがち" : value <= 1.1 ? "学んだとおり" : "大胆で、すぐに意味をなさなくなる"}`,
  topK: "選ぶ範囲",
  topKHelp: (count) =>
    count === 1 ? "最も確からしいトークンだけ" : `最も確からしい ${formatCount(count)} 個のトークン`,
  again: "別の書き方をする",
  outputWait: "まだ何もありません。",
  speed: (tokensPerSecond) => `この端末のプロセッサーで、毎秒 ${formatLarge(tokensPerSecond)} トークン。`,
  next: "次に書きそうなもの",
  early: "始まりのころ",
  earlyHelp: "同じ書き出しを、初期のバージョンと、測定された最新のバージョンが続けたものです。",
};
