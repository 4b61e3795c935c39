import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "言語",
  languageMissing: "その言語の文章を読み込めませんでした。",
  loading: "サーバーにプロジェクトを問い合わせています…",
  serverAway: "サーバーが応答しません。このページは試し続けます。",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "あなたとサーバーの間にある何かが、要求を別の場所へ送っています。",
      answered: (status) => `あなたとサーバーの間にある何かが ${status} と答えました。`,
      advice: {
        "too-large":
          "プロキシが通す大きさが、サーバーの受け取る大きさより小さくなっています。管理者が上限を上げる必要があります（nginx: client_max_body_size）。",
        "headers-too-large":
          "プロキシがこの大きさのヘッダーを受け付けません。このサイトの Cookie を消してみてください。それでも直らなければ、管理者が上限を上げる必要があります（nginx: large_client_header_buffers）。",
        forbidden:
          "プロキシ、ファイアウォール、またはこのネットワークが要求を禁じています。管理者が /api/ 以下を通す必要があります。ログインが必要なネットワークでは、先にログインしてください。",
        "not-found":
          "プロキシがこのアドレスを別の場所へ送っています。アドレスを確かめてください。管理者は、サーバーのアドレス以下のすべてのパスを通す必要があります。",
        "too-many": "プロキシが通す要求の数が足りません。管理者が上限を上げる必要があります。",
        gateway:
          "プロキシは動いていますが、その先のサーバーが応答しません。管理者がサーバーを起動するか、プロキシに設定したアドレスを直す必要があります。",
        status: "サーバー自身の答えではありません。理由はプロキシの記録にあり、管理者が確かめられます。",
        page: "答えの代わりにウェブページが届きました。ログインが必要なネットワークではログインし、そうでなければアドレスを確かめてください。",
        redirect:
          "答えは別のアドレスへの転送でした。ログインが必要なネットワークではログインし、そうでなければ転送先のアドレスを使ってください。",
        certificate:
          "サーバーの証明書が有効ではありません。期限が切れているか、別の名前のものか、この端末が信頼しない相手の署名です。管理者が更新する必要があります。",
        "unknown-host": "サーバーの名前がここでは見つかりません。アドレスとネットワークを確かめてください。",
        refused:
          "サーバーのアドレスで待ち受けているものがありません。アドレスとポートを確かめるか、サーバーを起動してください。",
        unreachable: "サーバーが応答しません。",
      },
    }),
  keepsTrying: (what) => `${what}このページは試し続けます。`,
  noRun: "このサーバーにはまだプロジェクトがありません。",
  mismatch:
    "このページとサーバーのプロトコルの版が異なり、再読み込みでも直りませんでした。サーバーが更新されたばかりだと思われます。" +
    "1 分ほどしてから、もう一度お試しください。",
  retry: "もう一度試す",
  reload: "ページを再読み込み",
  partMissing:
    "この部分を読み込めませんでした。接続が切れたか、何かが妨げているか、このページがサーバーのものより古い可能性があります。",
  guess: "予想",
  truth: "実際の文章",
  right: "正解",
  wrong: "はずれ",
  verdict: (what, chance) => `${what}。${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `正しいものに与えた確率は、約 ${formatCount(1 / probability)} 分の 1 でした。`
      : `正しいものに与えた確率は ${formatProbability(probability)} でした。`,
  sampleOf: (version) => `バージョン ${formatCount(version)} が書いたまま、手を加えていません。`,
  sampleEarly: "以前",
  sampleNow: "今",
  samplePick: "比べるバージョン",
  sampleWait: "まだ何も書いていません。",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `1 バイトあたり ${formatBits(bits)} ビット`;
  },
  chartWait: "最初の測定を待っています。",
  chartPoint: (version, loss, bits, tokens) =>
    `バージョン ${formatCount(version)}：${formatLarge(tokens)} トークンの後に ${formatLoss(loss)} ナット` +
    (bits === "" ? "" : `（${bits}）`),
  chartSummary: (from, to, versions) =>
    `検証用の文章での損失は、${formatCount(versions)} 個のバージョンで ${formatLoss(from)} ナットから ${formatLoss(to)} ナットになりました。`,
  uniform: "でたらめ",
  unigram: "頻度から",
  bigram: "直前のトークンから",
  baselinesHelp: "破線は、でたらめに、頻度から、または直前のトークンから予想したときの損失です。",
  version: "バージョン",
  who: "運営",
  contact: "連絡先",
  more: "詳しく",
  textOf: "文章",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source}（${licence}）`,
  modelLicence: "モデルのライセンス",
};
