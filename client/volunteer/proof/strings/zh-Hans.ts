import { formatCount, formatPart } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "当你的工作进入模型的某个版本时，证明会出现在这里。",
  proven: (version) => `已证明：你的工作在版本 ${formatCount(version)} 中。`,
  meaning: ({ version, place, of, share }) =>
    `服务器签名确认，版本 ${formatCount(version)} 由 ${formatCount(of)} 个增量组成，你的是第 ${formatCount(place)} 个，占权重的 ` +
    `${formatPart(share)}。本页面检查了签名。每个版本的记录都写明了前一个，所以服务器无法悄悄反悔。`,
  delta: "你的增量的指纹（SHA-256）：",
  record: (version) => `版本 ${formatCount(version)} 的签名记录`,
  broken:
    "服务器对你的工作的证明不成立：它的签名不是这个项目开始时的签名，或者它指的是别人的工作。你也许会想停止。",
};
