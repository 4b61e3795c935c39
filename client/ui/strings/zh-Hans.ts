import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import { describeIntermediary } from "../../../protocol/intermediary-words.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability } from "../format.ts";
import type { CommonWords } from "./en.ts";

export const words: CommonWords = {
  language: "语言",
  languageMissing: "无法加载该语言的文字。",
  loading: "正在向服务器询问它的项目…",
  serverAway: "服务器没有回应。本页面会继续尝试。",
  intermediary: (why) =>
    describeIntermediary(why, {
      elsewhere: "你和服务器之间的某个环节把请求转到了别处：",
      answered: (status) => `你和服务器之间的某个环节回答了 ${status}：`,
      advice: {
        "too-large":
          "代理允许通过的大小比服务器接受的小。其管理员需要提高上限（nginx：client_max_body_size）。",
        "headers-too-large":
          "代理不接受这么大的请求头。请清除本网站的 Cookie；如果没有用，其管理员需要提高上限（nginx：large_client_header_buffers）。",
        forbidden:
          "代理、防火墙或当前网络禁止了请求。其管理员需要放行 /api/ 下的路径；如果网络需要登录，请先登录。",
        "not-found": "代理把这个地址转到了别处。请检查地址；其管理员需要转发服务器地址下的所有路径。",
        "too-many": "代理允许通过的请求太少。其管理员需要提高上限。",
        gateway: "代理在运行，但它后面的服务器没有回应。其管理员需要启动服务器，或在代理中改正它的地址。",
        status: "这不是服务器自己的回答。其管理员可以在代理的日志中找到原因。",
        page: "收到的是网页，而不是回答。如果网络需要登录，请登录；否则请检查地址。",
        redirect: "收到的是跳转。如果网络需要登录，请登录；否则请使用它指向的地址。",
        certificate:
          "服务器的证书无效：已过期、属于其他名称，或者不是由本设备信任的机构签发。其管理员需要更新证书。",
        "unknown-host": "这里找不到服务器的名称。请检查地址和网络。",
        refused: "服务器的地址上没有程序在监听。请检查地址和端口，或启动服务器。",
        unreachable: "服务器没有回应。",
      },
    }),
  keepsTrying: (what) => `${what}本页面会继续尝试。`,
  noRun: "这台服务器还没有项目。",
  mismatch: "本页面和服务器使用的协议版本不同，重新加载也没有用。服务器可能刚刚更新：请一分钟后再试。",
  retry: "再试一次",
  reload: "重新加载页面",
  partMissing: "无法加载这一部分。可能是连接失败、被什么拦截了，或者本页面比服务器上的旧。",
  guess: "它预测的是",
  truth: "原文是",
  right: "猜对了",
  wrong: "没猜中",
  verdict: (what, chance) => `${what}。${chance}`,
  chanceInWords: (probability) =>
    probability < 0.4
      ? `它给正确答案的概率约为 ${formatCount(1 / probability)} 分之一。`
      : `它给正确答案的概率是 ${formatProbability(probability)}。`,
  sampleOf: (version) => `由版本 ${formatCount(version)} 写成，未经修改。`,
  sampleEarly: "早期",
  sampleNow: "现在",
  samplePick: "与这个版本比较",
  sampleWait: "它还没有写过东西。",
  bitsPerByte: (nats, bytesPerToken) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `每字节 ${formatBits(bits)} 比特`;
  },
  chartWait: "第一次测量即将到来。",
  chartPoint: (version, loss, bits, tokens) =>
    `版本 ${formatCount(version)}：学习 ${formatLarge(tokens)} 个词元后为 ${formatLoss(loss)} 奈特` +
    (bits === "" ? "" : `（${bits}）`),
  chartSummary: (from, to, versions) =>
    `经过 ${formatCount(versions)} 个版本，留出文本上的损失从 ${formatLoss(from)} 奈特变为 ${formatLoss(to)} 奈特。`,
  uniform: "任意词元",
  unigram: "按频率",
  bigram: "按前一个词元",
  baselinesHelp: "虚线：任意猜、按频率猜，或按前一个词元猜时的损失。",
  version: "版本",
  who: "主办者",
  contact: "联系方式",
  more: "更多信息",
  textOf: "文本",
  cardText: (source, licence) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source}（${licence}）`,
  modelLicence: "模型的许可证",
};
