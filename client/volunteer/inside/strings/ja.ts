import { formatBytes, formatCount, formatFixed } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "最初の一節が読まれると、見られるようになります。",
  lookNow: (version) => `バージョン ${formatCount(version)} の読み方：`,
  attention: "何に注目しているか",
  attentionHelp:
    "トークンの次に来るものを予想するため、モデルは前を振り返ります。トークンを一つ選んでください。前のトークンの色が濃いほど、" +
    "このヘッドはそれに注目しています。各層には複数のヘッドがあり、それぞれが違うものを探すことを学びます。",
  attentionLabel: "一節のトークン。矢印キーで、振り返るトークンを選びます",
  layer: "層",
  head: "ヘッド",
  attends: (token, seen, share) => `「${token}」が最も注目しているのは「${seen}」です（${share}）。`,
  attentionMap: (layer, head) =>
    `層 ${formatCount(layer)}、ヘッド ${formatCount(head)} の注目。行は各トークン、列はそれが注目する各トークンです。`,
  tokenMap: "トークンの位置",
  tokenMapHelp: (numbers, shows) =>
    `モデルにとって、トークンは ${formatCount(numbers)} 個の数からなる点です。ここではすべての点を、違いが最も大きい二つの方向に` +
    `平らにして示します（違い全体の ${shows}）。使われ方の似たトークンは、学ぶにつれて近づきます。`,
  tokenMapLabel: (tokens) => `${formatCount(tokens)} 個のトークンの地図。一節のトークンには名前があります。`,
  nearest: (token) => `「${token}」に最も近いもの：`,
  delta: "送ったもの",
  deltaWait: "最初のデルタはまだ送られていません。",
  deltaHelp: (steps, parameters) =>
    `デルタは、${formatCount(steps)} ステップの学習で、モデルの ${formatCount(parameters)} 個の数がそれぞれどれだけ動いたかを表します。`,
  deltaRatio: (ratio, changed) =>
    `全体では重みの大きさの ${ratio} で、実際に変わるのは重みの ${changed} です。`,
  deltaBytes: (bytes, plain) =>
    `${formatBytes(plain)} の代わりに ${formatBytes(bytes)} を送りました。${formatFixed(plain / bytes, 1)} 分の 1 の大きさです。` +
    "丸めで残った分はここに取っておき、次のデルタに加えます。",
  deltaBars: (largest) =>
    `いくつの重みがどれだけ動いたか。左端が −${largest}、中央がゼロ、右端が +${largest} です。`,
};
