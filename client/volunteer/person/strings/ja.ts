import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "サーバーに問い合わせています…",
  none: "このアドレスに参加者のページはありません。持ち主が消したのかもしれません。",
  away: "サーバーが応答しません。しばらくしてからページを再読み込みしてください。",
  lead: "多くのブラウザーと一緒に、言語モデルを学習させている参加者です。",
  tokens: "モデルに入ったトークン",
  recent: "この 1 日に送信",
  merged: "取り込まれたデルタ",
  keys: (keys) => `鍵のつながった ${formatCount(keys)} 個のブラウザーから。`,
  proofs: "証明",
  proofsHelp:
    "モデルに入っている最新のデルタです。それぞれが、取り込んだときにサーバーが署名した記録につながっています。署名は、あなたのブラウザーが" +
    "自分で確かめられます。",
  noProofs: "この参加者のデルタは、まだモデルに入っていません。",
  check: "ここで確かめる",
  checking: "確かめています…",
  hold: (of) =>
    `${formatCount(of)} 件すべてが正しく、これらのデルタがモデルに入っているとサーバーが署名しています。`,
  broken: (hold, of) =>
    `${formatCount(of)} 件のうち正しいのは ${formatCount(hold)} 件だけです。残りについて、サーバーは保証していません。`,
  teamLead: "ボランティアのチームです。ブラウザーが一緒に言語モデルを学習させています。",
  members: "人数",
  people: "名前のある人",
  peopleHelp: "名前を選んだメンバーです。ほかの人も数えられています。",
  peopleColumns: ["名前", "トークン"],
  columns: ["バージョン", "トークン", "デルタ"],
};
