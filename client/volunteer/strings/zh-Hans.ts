import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatPart,
  formatProbability,
  formatTime,
} from "../../ui/format.ts";
import type { VolunteerWords } from "./en.ts";

const insecure =
  "本页面是通过未加密的 HTTP 打开的，在这种情况下浏览器会关闭训练所需的显卡、密钥和锁。请使用 https:// 地址，或在服务器本机上使用 localhost。";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "许多浏览器，一个小小的头脑。",
  neighbours: "一只椋鸟跟随七个邻居；整个鸟群看起来像同一个头脑。",

  noRunLink: "如何创建一个",

  consentTitle: (run) => `愿意帮助训练“${run}”吗？`,
  whatFor: "用途",
  whatRuns: "运行什么",
  whatRunsText: (parameters, audits = false) =>
    `一个有 ${formatLarge(parameters)} 个参数的小型语言模型（采用 GPT-2 的设计）会在这个标签页里训练，使用你的显卡或处理器，每次几秒钟，` +
    "学习服务器分发的文本片段。" +
    (audits ? "它有时会检查另一位志愿者对模型的改动，但不会知道那是谁的。" : ""),
  forWhom: "为谁",
  forWhomText: (operator, host) =>
    `${operator === "" ? "运营者" : operator}，位于 ${host}。模型属于所有人：每个版本都可以在这里下载，你也可以。`,
  leaves: "哪些内容会离开你的设备",
  leavesText:
    "模型权重的改动、它们的损失和耗时、产生它们的设备和浏览器类型，以及在这里生成的一个随机密钥，用来区分你和其他人的工作。" +
    "绝不包括你的文件、浏览记录或你输入的任何内容。",
  sees: "服务器能看到什么",
  seesText: "你的互联网地址，和你访问任何网页时一样。",
  costs: "你的花费",
  costsText: (down, round) =>
    `一次性约 ${formatBytes(down)}${round === undefined ? "" : `，之后每轮约 ${formatBytes(2 * round)}`}，还有一些电。`,
  until: "到什么时候",
  untilText: (done, budget) =>
    `模型学完 ${formatLarge(budget)} 个词元的文本后，项目就结束；目前已完成 ${formatLarge(done)}。你可以早早离开：没有人要求你做什么，` +
    "停止会立即生效。",
  agree: "开始训练",
  promise: "到目前为止什么都没有运行。你可以随时暂停或停止；关闭标签页也会停止。",
  insecure,

  pause: "暂停",
  pauseFor: "暂停一段时间…",
  pauseLengths: { "half-hour": "30 分钟", hour: "1 小时", tomorrow: "到明天" },
  pausedUntil: (at) => `训练会自动继续：${formatTime(at)}。`,
  resume: "继续",
  stop: "停止",
  start: "重新开始",
  override: "仍然训练",
  presets: "使用这台机器的多少？",
  presetNames: { quiet: "安静", balanced: "均衡", allIn: "全力" },
  presetHelp: {
    quiet: "五分之一的时间，而且只在你看着的时候",
    balanced: "一半的时间；使用电池或机器发热时休息",
    allIn: "全部时间，不计代价",
  },
  presetOwn: "自定义",
  tune: "微调",
  startPaused: "每次打开本页面时先暂停",
  keepAwake: "训练时保持屏幕常亮",
  pauseOnSaver: "浏览器节省流量时暂停",
  pauseOnHeat: "机器发热或繁忙时暂停",
  hoursOn: "只在以下时间训练",
  hoursTo: "至",
  hoursFromLabel: "从这个时间开始训练",
  hoursToLabel: "训练到这个时间",
  share: "这台机器的使用",
  shareText: (share) => `${formatProbability(share)} 的时间`,
  pauseWhenHidden: "标签页被隐藏时暂停",
  pauseOnBattery: "使用电池时暂停",
  withPeers: "与其他访客共享",
  withPeersHelp:
    "访客的浏览器会互相传递模型和文本，减轻这台服务器的负担。与你相连的人能看到你的互联网地址，就像视频通话一样，你也能看到他们的。" +
    "每秒最多发送 8 兆比特。除非你打开，否则一直关闭。",
  withPeersState: (browsers, given, taken) =>
    `已与 ${formatCount(browsers)} 个浏览器相连：给出 ${formatBytes(given)}，获得 ${formatBytes(taken)}。`,
  yourPart: "你的参与",

  download: "下载",
  train: "训练",
  send: "发送",
  notYet: "还没有",
  downloadOf: { weights: "权重", text: "文本", change: "改动" },
  stepOf: (step, steps) => `第 ${formatCount(step)}/${formatCount(steps)} 步`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} 词元/秒`,
  forVersion: (version) => `用于版本 ${formatCount(version + 1)}`,

  reading: "它正在读什么",
  readingLabel: "逐个词元的片段：用方向键移动",
  readingHelp: "指向一个词，或使用方向键，看看模型在那里预测了什么。",
  readingMissing: "无法加载分词器，所以不显示片段。训练会继续，每一轮都会再试。",
  readingWait: "第一轮训练开始时，第一个片段就会出现。",
  passage: (version, right, tokens) =>
    `版本 ${formatCount(version)} 在这里的 ${formatCount(tokens)} 个词元中猜对了 ${formatCount(right)} 个。`,
  lineBreak: "换行",
  blank: "空格",
  autoOn: "逐个播放",
  autoOff: "停住",
  nextPassage: "下一个片段",

  look: "看看内部",
  lookHelp: "这个标签页里的模型如何处理这个片段，由正在训练的权重在这里计算得出。",

  yourLoss: "你的损失",
  lossHelp: "奈特每词元，在你训练的文本上",
  lossInWords: (nats) => `奈特每词元，在你训练的文本上：相当于在 ${formatChoices(nats)} 个词元中猜一个`,
  passageInWords: (nats) => `这个片段对它的难度，相当于每个词元都要在 ${formatChoices(nats)} 个中猜一个。`,
  credit: "贡献",
  creditHelp: "你的词元中已并入模型的",
  creditRecent: (tokens) => `其中 ${formatLarge(tokens)} 个是最近一天发送的`,
  refusals: "被拒绝的",
  lastAt: (at) => `最近一次：${formatTime(at)}`,
  sentTokens: "训练量",
  sentHelp: "打开本页面以来发送的词元",
  traffic: "流量",
  trafficText: (down, up) => `下载 ${formatBytes(down)}，上传 ${formatBytes(up)}`,
  creditDetail: (merged, pending, refused) =>
    `${formatCount(merged)} 个增量已并入，${formatCount(pending)} 个等待中，${formatCount(refused)} 个被拒绝`,

  people: "名字，以及你的数据",
  peopleHelp: "志愿者的名字、如何选择你的名字，以及服务器持有的关于你的数据。",

  run: "项目",
  heldOut: "留出文本上的损失",
  heldOutHelp: "模型对没有人用来训练的文本有多意外，单位是奈特每词元。越低越好。",
  heldOutNow: (nats, bits) => `现在是 ${nats}，即${bits}。`,
  rounds: (ms) => `所有人同时训练：大约每 ${formatDuration(ms)}，由及时到达的内容生成一个版本。`,
  oneMore: (part) => `现在多一个浏览器，每个版本大约能多学 ${formatPart(part)}。`,
  turns: "志愿者轮流参与每个版本；人多时，有些人要等待。",
  sample: "它现在写的",
  playgroundLink: "用你自己的话试试",
  volunteers: "志愿者",
  tokens: "已学词元",
  birds: (volunteers) =>
    volunteers === 0 ? "现在没有人在训练。" : `现在有 ${formatCount(volunteers)} 位志愿者，每人一只鸟。`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "这一只鸟就是你：现在这里没有别人。"
      : `这里有 ${formatCount(volunteers)} 位志愿者，每人一只鸟。明亮的那只是你。`,
  finishedTitle: "模型完成了",
  finishedText: "这个项目已经结束：没有什么要训练的了，模型会留在这里。",
  downloadModel: "下载模型",
  statusPage: "项目进展",
  howPage: "训练的原理",
  howLink: "第一次接触？看一个小网络在你眼前学习，了解训练的原理",
  playgroundPage: "试玩",
  benchPage: "这个浏览器有多快？",
  benchLink: "测量这个浏览器能以多快的速度训练",
  downloadHelp: "safetensors 格式，逐个版本",

  paused: {
    visitor: "你已暂停。",
    hidden: "标签页被隐藏，已暂停。",
    battery: "机器正在使用电池，已暂停。",
    saver: "浏览器正在节省流量，已暂停。",
    heat: "机器发热或繁忙，已暂停。",
    schedule: "不在你选择的时间内，已暂停。",
    budget: "已暂停：本网站今天允许的流量已用完。",
    site: "已被你所在的网站暂停。",
    "other-tab": "另一个标签页正在训练。它停止后，由这个标签页接替。",
    operator: "运营者暂停了项目。项目恢复后，训练会继续。",
  },
  unable: {
    insecure,
    "no-device": "在这个浏览器里没有一种训练方式可行：显卡和处理器都没有通过检查。",
    "no-ed25519": "这个浏览器无法生成为你的工作签名的 Ed25519 密钥。它的最新版本可以。",
    stuck: "训练没有开始：浏览器的某个部分没有回应。请再试一次，或重启浏览器。",
    failed: "训练失败了，原因出乎本页面的预料。",
  },
  downloading: {
    weights: "正在下载模型的权重…",
    text: "正在下载训练用的文本…",
    change: "正在追上最新版本…",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "纯 JavaScript" },
  software: (device) => `${device}（软件模拟，在处理器上）`,
  phase: {
    starting: "正在开始…",
    probing: (device) => `正在测试这台机器的能力（${device}）…`,
    queued: "正在等待下一份工作。",
    training: "正在用一个片段训练…",
    auditing: "正在为服务器检查另一位志愿者的增量…",
    sending: (bytes) => `正在发送你的增量（${formatBytes(bytes)}）…`,
    waiting: (ms) => `现在没有工作。${formatDuration(ms)}后再次询问。`,
    quarantined: (ms) =>
      `你的工作没有通过一次检查，诚实的工作也可能遇到这种情况。服务器在 ${formatDuration(ms)}内不接受你的工作；之后训练会自动继续。`,
    banned:
      "这个项目的运营者封禁了这个浏览器，所以服务器不接受它的工作。只有运营者能撤销；如果你认为这是误会，请联系运营者。",
    away: (why, ms) => `${why}${formatDuration(ms)}后重试；什么都不会丢失。`,
    finished: "项目结束了，模型也完成了。谢谢你。",
    stopped: "已停止。没有任何东西在运行。",
  },
  noAnswer: "服务器没有回应。",
  spoken: {
    training: "正在训练。",
    starting: "正在开始。",
    waiting: "正在等待工作。",
    away: "服务器没有回应。正在重试。",
  },

  refusedWork: (why) => `你上一次的工作没有被接受：${why}。`,
  refusal: {
    late: "来得太晚，模型已经前进了。它会留给你的下一个增量",
    expired: "超过了期限才到，它的文本已经交给了别人",
    repeated: "它以前已经发送过",
    invalid: "这台设备上的训练产生了无效的数值（NaN）",
    large: "它对模型的改动超过了训练可能做到的程度",
    paused: "运营者暂停了项目",
    finished: "项目已经结束",
    quarantined: "这个浏览器早先的工作没有通过检查，暂时不接受任何工作",
    banned: "运营者封禁了这个浏览器",
    busy: "一次请求得太多",
  },
  refusalByCode: {
    unread: (code) => `服务器无法读取收到的内容（“${code}”）`,
    unfit: (code) => `它与这个项目或这个浏览器的密钥不符（“${code}”）`,
    outdated: (code) => `本页面比服务器旧或新（“${code}”），重新加载会有帮助`,
    server: (code) => `服务器现在无法接受（“${code}”）`,
  },
};
