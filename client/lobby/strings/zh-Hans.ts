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
  title: "你想帮助训练哪一个？",
  lead: "每个项目都是由许多浏览器一起训练的语言模型。选一个：它的页面会说明什么会在你的机器上运行，并且在开始之前征求你的同意。",
  loading: "正在向服务器询问它的项目…",
  away: "服务器没有回应。显示的内容可能是旧的；本页面会继续尝试。",
  none: "这里还没有项目。",
  noneHelp: "如果这台服务器是你的，请在运营者页面上创建一个。",
  operator: "运营者页面",
  by: (who) => `来自 ${who}`,
  noPurpose: "运营者没有说明它的用途。",
  mostHelp: "现在你在这里最有帮助",
  anywhere: "哪里最需要就帮哪里",
  anywhereHelp:
    "同意一次，服务器就会按自己的测量，把你送到多一个浏览器帮助最大的项目。如果另一个项目比这里需要你得多，它会把你移到那里，并告诉你。",
  anywhereAsk: "哪里都帮…",
  anywhereRuns: "你将同意帮助以下每一个项目：",
  anywhereCost: (first) => `（第一次被选中时 ${formatBytes(first)}）`,
  anywhereWhat:
    "页面打开时，你的浏览器在此页面中以一半的速度训练。它下载项目的模型和文本，并用每个项目各自的随机密钥发送模型的改动，绝不发送你的任何东西。它最多每几分钟移动一次，而且只在两份工作之间。每个项目的页面有更多说明和控制，一个按钮就能结束。以后建立的项目会另外问你。",
  anywhereAgree: "同意并开始训练",
  anywhereNot: "现在不",
  anywhereFailed: "这个浏览器不为本网站保存任何东西，所以记不住你已同意。请改为在下面选择一个项目。",
  state: { running: "进行中", paused: "已暂停", finished: "已结束" },
  howFar: "进度",
  ofBudget: (part, budget) => `${formatLarge(budget)} 个词元中的 ${formatProbability(Math.min(1, part))}`,
  loss: "损失",
  notMeasured: "还没有测量",
  here: "现在在场",
  hereCount: (volunteers) => (volunteers === 0 ? "没有人" : `${formatCount(volunteers)} 位志愿者`),
  oneMore: "多一个浏览器",
  oneMoreOf: (part, volunteers, running) => {
    if (!running) return "等待项目恢复";
    if (part !== null) return `让每个版本前进 ${formatPart(part)}`;
    return volunteers === 0 ? "让它重新开始" : "有帮助；有多大还没有测量";
  },
  cost: "花费",
  costOf: (first, up, down) =>
    `一次性 ${formatBytes(first)}，之后每轮约发送 ${formatBytes(up)}、接收 ${formatBytes(down)}`,
  size: "模型",
  parameters: (count) => `${formatLarge(count)} 个参数`,
  look: "查看并参与",
  lookAt: (name) => `查看并参与 ${name}`,
  status: "状态",
  statusOf: (name) => `${name} 的状态`,
  archive: "已结束",
  archiveLead: "这些项目已经完成。它们的成果留在这里，供所有人使用。",
  thanks: (deltas) =>
    deltas === 0 ? "其中没有任何人的工作。" : `由志愿者的 ${formatCount(deltas)} 份工作组成。谢谢你们。`,
  made: (version, parameters, loss) =>
    `${formatCount(version)} 个版本，${formatLarge(parameters)} 个参数。${loss}。`,
  nats: (loss) => `${formatLoss(loss)} 奈特`,
  download: "下载模型",
  downloadOf: (name) => `下载模型：${name}`,
  wrote: "它最后写的",
  record: "最后一个版本的证明：签名的记录",
  recordOf: (name) => `最后一个版本的证明，签名的记录：${name}`,
  curve: "它的曲线和志愿者",
  curveOf: (name) => `它的曲线和志愿者：${name}`,
  curveSummary: (from, to) => `损失从 ${from} 变为 ${to}`,
};
