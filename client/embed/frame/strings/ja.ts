import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `${operator === "" ? host : `${operator}（${host}）`}のために「${run}」の学習を手伝いますか？`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `${formatLarge(parameters)} パラメーターの言語モデルが、このページを開いている間、この端末の時間の約 ${formatProbability(share)} を` +
    `使ってこの枠の中で学習します。${formatLarge(tokenBudget)} トークンから学び終えるまで続きます。重みの変更を、無作為な鍵、その損失、` +
    "端末の種類、このサイトのアドレスとともに送ります。ファイルや、あなたがここですることは決して送りません。サーバーにはあなたの" +
    "インターネットアドレスが見えます。" +
    (audits ? "ときどき、ほかの参加者によるモデルの変更を、誰のものかを知らされずに検査します。" : ""),
  budget: (budget, down) =>
    `最初に約 ${formatBytes(down)} をダウンロードします` +
    (budget === null ? "。" : `。1 日の通信量が ${formatBytes(budget)} になると止まります。`),
  licence: (licence) => `モデルのライセンス：${licence}。`,
  agree: "はい、手伝います",
  refuse: "いいえ",
  asking: "訪問者に尋ねています。",
  revoke: "忘れてもらう",
  ask: "モデルを試す",
  about: "これは何ですか？",
};
