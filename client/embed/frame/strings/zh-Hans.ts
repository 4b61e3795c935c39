import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `愿意为 ${operator === "" ? host : `${operator}（${host}）`} 帮助训练“${run}”吗？`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `只要打开着本页面，一个有 ${formatLarge(parameters)} 个参数的语言模型就会在这个框里训练，大约占用这台设备 ${formatProbability(share)} 的` +
    `时间，直到它学完 ${formatLarge(tokenBudget)} 个词元。你的浏览器会发送权重的改动，连同一个随机密钥、它们的损失、设备类型和` +
    "本网站的地址。它绝不发送你的文件，也不发送你在这里做的事。服务器能看到你的互联网地址。" +
    (audits ? "它有时会检查另一位志愿者对模型的改动，但不会知道那是谁的。" : ""),
  budget: (budget, down) =>
    `开始时下载约 ${formatBytes(down)}` +
    (budget === null ? "。" : `，每天的流量达到 ${formatBytes(budget)} 就停止。`),
  licence: (licence) => `模型的许可证：${licence}。`,
  agree: "好，帮助训练",
  refuse: "不用了",
  asking: "正在询问访客。",
  revoke: "忘记我",
  ask: "试试模型",
  about: "这是什么？",
};
