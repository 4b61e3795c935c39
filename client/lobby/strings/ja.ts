import {
  formatBytes,
  formatCount,
  formatLarge,
  formatLoss,
  formatPart,
  formatProbability,
} from "../../ui/format.ts";
import type { LobbyWords } from "./en.ts";

export const words: LobbyWords = {
  title: "どのモデルの学習を手伝いますか？",
  lead:
    "どのプロジェクトも、たくさんのブラウザーが一緒に学習させる言語モデルです。一つ選んでください。そのページが、あなたのマシンで何が" +
    "動くかを説明し、何かを始める前にお尋ねします。",
  loading: "サーバーにプロジェクトを問い合わせています…",
  away: "サーバーが応答しません。表示は古いかもしれません。このページは試し続けます。",
  none: "ここにはまだプロジェクトがありません。",
  noneHelp: "このサーバーがあなたのものなら、運営者のページで作ってください。",
  operator: "運営者のページ",
  by: (who) => `運営：${who}`,
  noPurpose: "目的は書かれていません。",
  mostHelp: "今、ここでの手伝いが最も役立ちます",
  anywhere: "いちばん役に立つところ",
  anywhereHelp:
    "一度同意すると、ブラウザーがもう一つあるといちばん助かるプロジェクトへ、サーバーが自分の測定に従って案内します。ほかのプロジェクトのほうがずっと必要としているときは、そこへ移し、そのことを知らせます。",
  anywhereAsk: "どこでも手伝う…",
  anywhereRuns: "同意すると、次のどのプロジェクトも手伝うことになります：",
  anywhereCost: (first) => `（初めて選ばれたときに ${formatBytes(first)}）`,
  anywhereWhat:
    "このページを開いている間、ブラウザーが半分の速さで学習します。プロジェクトのモデルと文章をダウンロードし、プロジェクトごとに別の無作為な鍵でモデルの変更を送ります。あなた自身のものは何も送りません。移るのは多くても数分に一度で、作業と作業の間だけです。各プロジェクトのページに詳しい説明と操作があり、ボタン一つで終えられます。後から作られるプロジェクトは、それぞれがあなたに尋ねます。",
  anywhereAgree: "同意して学習を始める",
  anywhereNot: "今はしない",
  anywhereFailed:
    "このブラウザーはこのサイトのために何も保存しないので、同意を覚えられませんでした。代わりに下からプロジェクトを選んでください。",
  state: { running: "進行中", paused: "一時停止中", finished: "終了" },
  howFar: "進み具合",
  ofBudget: (part, budget) => `${formatLarge(budget)} トークンの ${formatProbability(Math.min(1, part))}`,
  loss: "損失",
  notMeasured: "まだ測定されていません",
  here: "参加中",
  hereCount: (volunteers) => (volunteers === 0 ? "誰もいません" : `${formatCount(volunteers)} 人`),
  oneMore: "ブラウザーがもう一つ加わると",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "再開を待ちます";
    if (part !== null) return `各バージョンが ${formatPart(part)} 進みます`;
    return volunteers === 0 ? "再び動き出します" : "助かります。どれだけかはまだ測定されていません";
  },
  cost: "負担",
  costOf: (first, up, down) =>
    `最初に ${formatBytes(first)}、その後 1 ラウンドごとに約 ${formatBytes(up)} を送信、${formatBytes(down)} を受信`,
  size: "モデル",
  parameters: (count) => `${formatLarge(count)} パラメーター`,
  look: "見て参加する",
  lookAt: (name) => `${name} を見て参加する`,
  status: "様子",
  statusOf: (name) => `${name} の様子`,
  archive: "終了",
  archiveLead: "これらのプロジェクトは終わりました。作られたものは、みんなのためにここに残ります。",
  thanks: (deltas) =>
    deltas === 0
      ? "誰の作業も入っていません。"
      : `参加者の ${formatCount(deltas)} 個の作業からできました。ありがとうございます。`,
  made: (version, parameters, loss) =>
    `${formatCount(version)} バージョン、${formatLarge(parameters)} パラメーター。${loss}。`,
  nats: (loss) => `${formatLoss(loss)} ナット`,
  download: "モデルをダウンロード",
  downloadOf: (name) => `${name} のモデルをダウンロード`,
  wrote: "最後に書いた文章",
  record: "最後のバージョンの証明（署名された記録）",
  recordOf: (name) => `最後のバージョンの証明（署名された記録）：${name}`,
  curve: "曲線と参加者",
  curveOf: (name) => `曲線と参加者：${name}`,
  curveSummary: (from, to) => `損失は ${from} から ${to} になりました`,
};
