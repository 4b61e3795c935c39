import { formatCount } from "../../../ui/format.ts";
import type { PersonWords } from "./en.ts";

export const words: PersonWords = {
  title: (name) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "正在询问服务器…",
  none: "这个地址没有志愿者的页面。原来的主人可能已经去掉了它。",
  away: "服务器没有回应。请过一会儿重新加载页面。",
  lead: "一位志愿者，其浏览器与许多其他浏览器一起训练一个语言模型。",
  tokens: "模型中的词元",
  recent: "最近一天发送",
  merged: "已并入的增量",
  keys: (keys) => `来自 ${formatCount(keys)} 个密钥相互关联的浏览器。`,
  proofs: "证明",
  proofsHelp: "模型中最新的增量。每一个都指向服务器在并入时签名的记录。你的浏览器可以自己检查签名。",
  noProofs: "这位志愿者的增量还没有进入模型。",
  check: "在这里检查",
  checking: "正在检查…",
  hold: (of) => `${formatCount(of)} 个全部成立：服务器签名确认这些增量在模型中。`,
  broken: (hold, of) => `${formatCount(of)} 个中只有 ${formatCount(hold)} 个成立。其余的服务器不予担保。`,
  teamLead: "一个志愿者团队，他们的浏览器一起训练一个语言模型。",
  members: "人数",
  people: "有名字的人",
  peopleHelp: "选择了名字的成员。其他人也计算在内。",
  peopleColumns: ["名字", "词元"],
  columns: ["版本", "词元", "增量"],
};
