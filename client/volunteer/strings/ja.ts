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
  "このページは暗号化されていない HTTP で届きました。その場合ブラウザーは、学習に必要なグラフィックスカード、鍵、ロックを使えなくします。" +
  "https:// のアドレスか、サーバーと同じマシンの localhost からなら動きます。";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "たくさんのブラウザーで、ひとつの小さな知性を。",
  neighbours: "ムクドリは七羽の隣人に従い、群れはひとつの知性のように見えます。",

  noRunLink: "作り方",

  consentTitle: (run) => `「${run}」の学習を手伝いますか？`,
  whatFor: "目的",
  whatRuns: "動くもの",
  whatRunsText: (parameters, audits = false) =>
    `${formatLarge(parameters)} パラメーターの小さな言語モデル（GPT-2 と同じ設計）が、このタブの中で、あなたのグラフィックスカードか` +
    "プロセッサーを使い、サーバーが配る文章の一節を、一度に数秒ずつ学習します。" +
    (audits ? "ときどき、ほかの参加者によるモデルの変更を、誰のものかを知らされずに検査します。" : ""),
  forWhom: "誰のために",
  forWhomText: (operator, host) =>
    `${operator === "" ? "運営者" : operator}（${host}）。モデルはみんなのものです。どのバージョンも、ここから誰でも、あなたも` +
    "ダウンロードできます。",
  leaves: "端末から出るもの",
  leavesText:
    "モデルの重みの変更、その損失と所要時間、それを作った端末とブラウザーの種類、そして、あなたの作業をほかの人のものと区別するために" +
    "ここで作る無作為な鍵です。ファイル、閲覧履歴、入力した内容が出ることは決してありません。",
  sees: "サーバーに見えるもの",
  seesText: "あなたのインターネットアドレスです。どのページを訪れるときとも同じです。",
  costs: "あなたの負担",
  costsText: (down, round) =>
    `最初に約 ${formatBytes(down)}${round === undefined ? "" : `、その後は 1 ラウンドごとに約 ${formatBytes(2 * round)}`}、そして` +
    "いくらかの電力です。",
  until: "いつまで",
  untilText: (done, budget) =>
    `モデルが ${formatLarge(budget)} トークンの文章から学び終えると、プロジェクトは終わります。今は ${formatLarge(done)} まで済みました。` +
    "ずっと早くやめても構いません。義務は何もなく、停止はすぐに効きます。",
  agree: "学習を始める",
  promise: "まだ何も動いていません。いつでも一時停止や停止ができます。タブを閉じても止まります。",
  insecure,

  pause: "一時停止",
  pauseFor: "時間を決めて停止…",
  pauseLengths: { "half-hour": "30 分", hour: "1 時間", tomorrow: "明日まで" },
  pausedUntil: (at) => `学習は自動で再開します：${formatTime(at)}。`,
  resume: "再開",
  stop: "停止",
  start: "もう一度始める",
  override: "それでも学習する",
  presets: "このマシンをどれだけ使いますか？",
  presetNames: { quiet: "控えめ", balanced: "ほどほど", allIn: "全力" },
  presetHelp: {
    quiet: "時間の五分の一、見ている間だけ",
    balanced: "時間の半分。バッテリー駆動中や、マシンが熱いときは休みます",
    allIn: "すべての時間、負担を気にせずに",
  },
  presetOwn: "カスタム",
  tune: "細かい設定",
  startPaused: "このページを開いたときは、いつも一時停止から始める",
  keepAwake: "学習中は画面をつけたままにする",
  pauseOnSaver: "このブラウザーがデータを節約している間は一時停止する",
  pauseOnHeat: "マシンが熱いときや忙しいときは一時停止する",
  hoursOn: "学習する時間帯",
  hoursTo: "〜",
  hoursFromLabel: "この時刻から学習する",
  hoursToLabel: "この時刻まで学習する",
  share: "このマシンの使用",
  shareText: (share) => `時間の ${formatProbability(share)}`,
  pauseWhenHidden: "このタブが隠れているときは一時停止する",
  pauseOnBattery: "バッテリー駆動中は一時停止する",
  withPeers: "ほかの参加者と分け合う",
  withPeersHelp:
    "参加者のブラウザーどうしがモデルと文章を渡し合い、このサーバーの負担を減らします。つながった相手には、ビデオ通話と同じように" +
    "あなたのインターネットアドレスが見え、あなたにも相手のものが見えます。送るのは毎秒 8 メガビットまでです。オンにしない限り、オフのままです。",
  withPeersState: (browsers, given, taken) =>
    `${formatCount(browsers)} 個のブラウザーとつながっています。渡した量 ${formatBytes(given)}、受け取った量 ${formatBytes(taken)}。`,
  yourPart: "あなたの参加",

  download: "受け取る",
  train: "学習する",
  send: "送る",
  notYet: "まだです",
  downloadOf: { weights: "重み", text: "文章", change: "変更" },
  stepOf: (step, steps) => `ステップ ${formatCount(step)}/${formatCount(steps)}`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} トークン/秒`,
  forVersion: (version) => `バージョン ${formatCount(version + 1)} へ`,

  reading: "読んでいる文章",
  readingLabel: "一節をトークンごとに。矢印キーで移動します",
  readingHelp: "言葉を指すか矢印キーを使うと、モデルがそこで何を予想したかがわかります。",
  readingMissing:
    "トークナイザーを読み込めなかったため、一節を表示できません。学習は続き、ラウンドごとにもう一度試します。",
  readingWait: "最初のラウンドが始まると、最初の一節が現れます。",
  passage: (version, right, tokens) =>
    `バージョン ${formatCount(version)} はここで ${formatCount(tokens)} トークン中 ${formatCount(right)} 個を当てました。`,
  lineBreak: "改行",
  blank: "空白",
  autoOn: "順に進む",
  autoOff: "止める",
  nextPassage: "次の一節",

  look: "中をのぞく",
  lookHelp: "このタブのモデルが一節に何をしているかを、学習中の重みからここで計算して見せます。",

  yourLoss: "あなたの損失",
  lossHelp: "1 トークンあたりのナット。あなたが学習している文章でのもの",
  lossInWords: (nats) =>
    `1 トークンあたりのナット。あなたが学習している文章で、${formatChoices(nats)} 個のトークンから当てるのと同じ難しさ`,
  passageInWords: (nats) =>
    `この一節の難しさは、各トークンを ${formatChoices(nats)} 個の中から当てるのと同じくらいです。`,
  credit: "貢献",
  creditHelp: "モデルに取り込まれたあなたのトークン",
  creditRecent: (tokens) => `うち ${formatLarge(tokens)} はこの 1 日に送信`,
  refusals: "受け付けられなかったもの",
  lastAt: (at) => `最後は ${formatTime(at)}`,
  sentTokens: "学習した量",
  sentHelp: "このページを開いてから送ったトークン",
  traffic: "通信量",
  trafficText: (down, up) => `受信 ${formatBytes(down)}、送信 ${formatBytes(up)}`,
  creditDetail: (merged, pending, refused) =>
    `取り込み済みデルタ ${formatCount(merged)} 個、待機中 ${formatCount(pending)} 個、却下 ${formatCount(refused)} 個`,

  people: "名前と、あなたのデータ",
  peopleHelp: "参加者の名前、自分の名前の決め方、そしてサーバーが持つあなたのデータ。",

  run: "プロジェクト",
  heldOut: "検証用の文章での損失",
  heldOutHelp:
    "誰も学習に使わない文章に、モデルがどれだけ驚くかを、1 トークンあたりのナットで表します。小さいほど良い値です。",
  heldOutNow: (nats, bits) => `今は ${nats}、つまり ${bits}です。`,
  rounds: (ms) =>
    `全員が同時に学習します。約 ${formatDuration(ms)}ごとに、間に合ったものから新しいバージョンができます。`,
  oneMore: (part) => `今ブラウザーがもう一つ加わると、各バージョンの学びは約 ${formatPart(part)} 増えます。`,
  turns: "参加者はバージョンごとに交代します。人数が多いときは、待つ人がいます。",
  sample: "今書く文章",
  playgroundLink: "自分の言葉で試す",
  volunteers: "参加者",
  tokens: "学んだトークン",
  birds: (volunteers) =>
    volunteers === 0
      ? "今は誰も学習していません。"
      : `今 ${formatCount(volunteers)} 人が参加中。一人につき一羽の鳥です。`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "この一羽はあなたです。今はほかに誰もいません。"
      : `${formatCount(volunteers)} 人が参加中。一人につき一羽の鳥で、明るいのがあなたです。`,
  finishedTitle: "モデルが完成しました",
  finishedText: "このプロジェクトは終わりました。もう学習するものはなく、モデルはここに残ります。",
  downloadModel: "モデルをダウンロード",
  statusPage: "プロジェクトの様子",
  howPage: "学習のしくみ",
  howLink: "初めての方へ：目の前で学ぶ小さなネットワークで、学習のしくみをご覧ください",
  playgroundPage: "遊び場",
  benchPage: "このブラウザーの速さは？",
  benchLink: "このブラウザーがどれだけ速く学習できるかを測る",
  downloadHelp: "safetensors 形式、バージョンごと",

  paused: {
    visitor: "あなたが一時停止しました。",
    hidden: "このタブが隠れている間は一時停止します。",
    battery: "バッテリー駆動中は一時停止します。",
    saver: "このブラウザーがデータを節約している間は一時停止します。",
    heat: "マシンが熱いか忙しい間は一時停止します。",
    schedule: "選んだ時間帯の外なので一時停止中です。",
    budget: "一時停止中：このサイトが今日許した通信量を使い切りました。",
    site: "ご覧のサイトが一時停止しました。",
    "other-tab": "別のタブが学習しています。そのタブが止まると、このタブが引き継ぎます。",
    operator: "運営者がプロジェクトを一時停止しています。再開されると、学習も再開します。",
  },
  unable: {
    insecure,
    "no-device":
      "このブラウザーでは、どの方法でも学習できませんでした。グラフィックスカードもプロセッサーも検査に通りませんでした。",
    "no-ed25519": "このブラウザーは、作業に署名する Ed25519 の鍵を作れません。新しいバージョンなら作れます。",
    stuck:
      "学習が始まりませんでした。ブラウザーの一部が応答しません。もう一度試すか、ブラウザーを再起動してください。",
    failed: "このページの想定しない理由で、学習に失敗しました。",
  },
  downloading: {
    weights: "モデルの重みをダウンロードしています…",
    text: "学習する文章をダウンロードしています…",
    change: "最新のバージョンに追いついています…",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "JavaScript のみ" },
  software: (device) => `${device}（ソフトウェア、プロセッサー上）`,
  phase: {
    starting: "始めています…",
    probing: (device) => `このマシンでできることを試しています（${device}）…`,
    queued: "次の作業を待っています。",
    training: "一節を学習しています…",
    auditing: "サーバーのために、ほかの参加者のデルタを検査しています…",
    sending: (bytes) => `あなたのデルタを送っています（${formatBytes(bytes)}）…`,
    waiting: (ms) => `今は作業がありません。${formatDuration(ms)}後にもう一度尋ねます。`,
    quarantined: (ms) =>
      "あなたの作業が検査に通りませんでした。誠実な作業でも起こりうることです。サーバーは " +
      `${formatDuration(ms)}の間、作業を受け付けません。その後、学習は自動で再開します。`,
    banned:
      "このプロジェクトの運営者がこのブラウザーを禁止したため、サーバーは作業を受け付けません。取り消せるのは運営者だけです。" +
      "間違いだと思うときは、運営者に問い合わせてください。",
    away: (why, ms) => `${why}${formatDuration(ms)}後にもう一度試します。何も失われません。`,
    finished: "プロジェクトが終わり、モデルが完成しました。ありがとうございました。",
    stopped: "停止しました。何も動いていません。",
  },
  noAnswer: "サーバーが応答しません。",
  spoken: {
    training: "学習中です。",
    starting: "始めています。",
    waiting: "作業を待っています。",
    away: "サーバーが応答しません。もう一度試します。",
  },

  refusedWork: (why) => `最後の作業は受け付けられませんでした：${why}。`,
  refusal: {
    late: "届くのが遅く、モデルは先に進んでいました。次のデルタのために取っておきます",
    expired: "期限を過ぎて届き、その文章は別の人に渡されていました",
    repeated: "すでに送られたものでした",
    invalid: "この端末での学習が無効な数値（NaN）になりました",
    large: "学習で起こりうる以上にモデルを変えるものでした",
    paused: "運営者がプロジェクトを一時停止しています",
    finished: "プロジェクトは終わりました",
    quarantined: "このブラウザーの以前の作業が検査に通らず、しばらく何も受け付けられません",
    banned: "運営者がこのブラウザーを禁止しました",
    busy: "一度に多くの要求が届きました",
  },
  refusalByCode: {
    unread: (code) => `届いたものをサーバーが読めませんでした（「${code}」）`,
    unfit: (code) => `このプロジェクト、またはこのブラウザーの鍵に合いません（「${code}」）`,
    outdated: (code) =>
      `このページがサーバーより古いか新しいためです（「${code}」）。再読み込みをお試しください`,
    server: (code) => `サーバーが今は受け付けられません（「${code}」）`,
  },
};
