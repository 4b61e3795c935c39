import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";
import type { PlaygroundWords } from "./en.ts";

export const words: PlaygroundWords = {
  title: "试玩",
  tagline: "此刻的模型，就在这个浏览器里。你输入的内容不会离开你的设备。",
  back: "回到训练",
  load: (bytes) => `加载模型（最多 ${formatBytes(bytes)}）`,
  loadNote: "只需下载一次。如果你在这里训练过，就只下载改动。",
  version: (version) => `已加载版本 ${formatCount(version)}。`,
  newer: (version) => `使用版本 ${formatCount(version)}`,
  promptHelp: "模型会从这里接着写，用它所学文本的口吻。",
  temperature: "温度",
  temperatureHelp: (value) =>
    value === 0
      ? "0：总是最可能的词元，每次都一样"
      : `${formatFixed(value, 1)}：${value < 0.7 ? "谨慎，容易重复" : value <= 1.1 ? "和学到的一样" : "大胆，很快就语无伦次"}`,
  topK: "选择范围",
  topKHelp: (count) => (count === 1 ? "只用最可能的词元" : `最可能的 ${formatCount(count)} 个词元`),
  again: "换一种写法",
  outputWait: "还没有内容。",
  speed: (tokensPerSecond) => `每秒 ${formatLarge(tokensPerSecond)} 个词元，在这台设备的处理器上。`,
  next: "接下来它会写什么",
  early: "它是怎样开始的",
  earlyHelp: "同样的开头，由一个早期版本和最新测量的版本续写。",
};
