import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0 ? "正在加载模型…" : `正在加载模型：${formatBytes(bytes)}，共 ${formatBytes(total)}…`,
  failed: "模型无法加载，或者没有写出内容。",
  retry: "再试一次",
  prompt: "你的文字",
  write: "写",
  stop: "停止",
  output: "它写了什么",
  writing: "正在写…",
  ask: "试试模型",
  askHelp: (bytes) =>
    `写个开头，模型就在你的浏览器里接着写。你输入的内容不会离开你的设备。首次最多下载 ${formatBytes(bytes)}。`,
  back: "返回",
};
