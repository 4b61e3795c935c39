import { formatBytes, formatCount, formatFixed } from "../../../ui/format.ts";
import type { InsideWords } from "./en.ts";

export const words: InsideWords = {
  lookWait: "读到第一个片段后，这里就有内容可看。",
  lookNow: (version) => `版本 ${formatCount(version)} 的读法：`,
  attention: "它注意什么",
  attentionHelp:
    "为了猜出一个词元之后是什么，模型会往回看。选一个词元：前面的词元标得越深，这个头就越注意它。每一层有几个头，每个头都学着寻找不同的东西。",
  attentionLabel: "片段的词元：用方向键选择由哪个往回看",
  layer: "层",
  head: "头",
  attends: (token, seen, share) => `“${token}”最注意“${seen}”（${share}）。`,
  attentionMap: (layer, head) =>
    `第 ${formatCount(layer)} 层第 ${formatCount(head)} 个头的注意力：每行是一个词元，每列是它所看的一个词元。`,
  tokenMap: "词元的位置",
  tokenMapHelp: (numbers, shows) =>
    `对模型来说，一个词元是由 ${formatCount(numbers)} 个数组成的点。这里是所有的点，压平到差异最大的两个方向上（占全部差异的 ${shows}）。` +
    "随着学习，用法相近的词元会靠拢。",
  tokenMapLabel: (tokens) => `${formatCount(tokens)} 个词元的地图；片段中的词元标有名称。`,
  nearest: (token) => `离“${token}”最近的：`,
  delta: "发送了什么",
  deltaWait: "第一个增量还没有发送。",
  deltaHelp: (steps, parameters) =>
    `增量表示 ${formatCount(steps)} 步训练让模型的 ${formatCount(parameters)} 个数各自移动了多少。`,
  deltaRatio: (ratio, changed) => `合起来是权重大小的 ${ratio}，其中真正改变的权重占 ${changed}。`,
  deltaBytes: (bytes, plain) =>
    `发送了 ${formatBytes(bytes)}，而不是 ${formatBytes(plain)}：只有 ${formatFixed(plain / bytes, 1)} 分之一。舍入剩下的部分留在这里，` +
    "加到下一个增量里。",
  deltaBars: (largest) => `有多少权重移动了多少：左端是 −${largest}，中间是零，右端是 +${largest}。`,
};
