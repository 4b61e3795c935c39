import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatPart,
  formatProbability,
  formatTime,
  plural,
} from "../../ui/format.ts";
import type { VolunteerWords } from "./en.ts";

const insecure =
  "Esta página veio por HTTP sem criptografia, e aí os navegadores desligam a placa de vídeo, as chaves e as travas de que o " +
  "treinamento precisa. Funciona a partir de um endereço https://, ou de localhost na própria máquina do servidor.";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "Muitos navegadores, uma pequena mente.",
  neighbours: "Um estorninho segue sete vizinhos; a revoada parece uma só mente.",

  noRunLink: "Como criar um",

  consentTitle: (run) => `Você ajuda a treinar “${run}”?`,
  whatFor: "Para quê",
  whatRuns: "O que roda",
  whatRunsText: (parameters, audits = false) =>
    `Um pequeno modelo de linguagem de ${formatLarge(parameters)} parâmetros (com o desenho do GPT-2) treina nesta aba, na sua placa ` +
    "de vídeo ou no seu processador, alguns segundos de cada vez, em trechos de texto que o servidor distribui." +
    (audits
      ? " De vez em quando ele confere a mudança no modelo feita por outra pessoa, sem saber de quem é."
      : ""),
  forWhom: "Para quem",
  forWhomText: (operator, host) =>
    `${operator === "" ? "Quem mantém o servidor" : operator}, em ${host}. O modelo é de todo mundo: cada versão pode ser baixada ` +
    "aqui, por você também.",
  leaves: "O que sai do seu aparelho",
  leavesText:
    "Mudanças nos pesos do modelo, a perda e o tempo delas, que tipo de aparelho e navegador as fez, e uma chave aleatória criada " +
    "aqui para distinguir o seu trabalho do de outras pessoas. Nunca os seus arquivos, o seu histórico ou algo que você digite.",
  sees: "O que o servidor vê",
  seesText: "O seu endereço de internet, como em qualquer página que você visita.",
  costs: "Quanto custa para você",
  costsText: (down, round) =>
    `Cerca de ${formatBytes(down)} uma vez${round === undefined ? "" : `, depois cerca de ${formatBytes(2 * round)} por rodada`}, e um ` +
    "pouco de eletricidade.",
  until: "Até quando",
  untilText: (done, budget) =>
    `O projeto termina quando o modelo tiver aprendido com ${formatLarge(budget)} tokens de texto; já foram ${formatLarge(done)}. Você ` +
    "pode sair muito antes: nada é esperado de você, e parar vale na hora.",
  agree: "Começar a treinar",
  promise:
    "Até agora nada rodou. Você pode pausar ou parar a qualquer momento; fechar a aba também para tudo.",
  insecure,

  pause: "Pausar",
  pauseFor: "Pausar por…",
  pauseLengths: { "half-hour": "30 minutos", hour: "uma hora", tomorrow: "até amanhã" },
  pausedUntil: (at) => `O treinamento volta sozinho: ${formatTime(at)}.`,
  resume: "Continuar",
  stop: "Parar",
  start: "Começar de novo",
  override: "Treinar assim mesmo",
  presets: "Quanto desta máquina?",
  presetNames: { quiet: "Discreto", balanced: "Equilibrado", allIn: "Com tudo" },
  presetHelp: {
    quiet: "um quinto do tempo, e só enquanto você olha",
    balanced: "metade do tempo; descansa na bateria e quando a máquina esquenta",
    allIn: "o tempo todo, custe o que custar",
  },
  presetOwn: "Personalizado",
  tune: "Ajuste fino",
  startPaused: "Começar em pausa sempre que esta página for aberta",
  keepAwake: "Manter a tela acesa durante o treinamento",
  pauseOnSaver: "Pausar enquanto este navegador economiza dados",
  pauseOnHeat: "Pausar quando a máquina estiver quente ou ocupada",
  hoursOn: "Treinar só das",
  hoursTo: "às",
  hoursFromLabel: "Treinar a partir desta hora",
  hoursToLabel: "Treinar até esta hora",
  share: "Uso desta máquina",
  shareText: (share) => `${formatProbability(share)} do tempo`,
  pauseWhenHidden: "Pausar quando esta aba não estiver à vista",
  pauseOnBattery: "Pausar na bateria",
  withPeers: "Compartilhar com outros visitantes",
  withPeersHelp:
    "Os navegadores dos visitantes passam então o modelo e o texto uns aos outros, o que alivia este servidor. Aqueles com quem você " +
    "está em contato veem o seu endereço de internet, como em uma chamada de vídeo, e você vê o deles. No máximo 8 megabits por " +
    "segundo são enviados. Desligado, a menos que você ligue.",
  withPeersState: (browsers, given, taken) =>
    `Em contato com ${plural(browsers, "navegador", "navegadores")}: ${formatBytes(given)} dados, ${formatBytes(taken)} recebidos.`,
  yourPart: "A sua parte",

  download: "Baixar",
  train: "Treinar",
  send: "Enviar",
  notYet: "ainda não",
  downloadOf: { weights: "pesos", text: "texto", change: "mudanças" },
  stepOf: (step, steps) => `passo ${formatCount(step)}/${formatCount(steps)}`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} tokens/s`,
  forVersion: (version) => `para a versão ${formatCount(version + 1)}`,

  reading: "O que ele está lendo",
  readingLabel: "O trecho, token por token: as setas do teclado percorrem o texto",
  readingHelp: "Aponte para uma palavra, ou use as setas, para ver o que o modelo esperava ali.",
  readingMissing:
    "Não foi possível carregar o tokenizador, por isso o trecho não aparece. O treinamento continua, e cada rodada tenta de novo.",
  readingWait: "O primeiro trecho aparece quando começa a primeira rodada de treinamento.",
  passage: (version, right, tokens) =>
    `A versão ${formatCount(version)} acertou aqui ${formatCount(right)} de ${plural(tokens, "token", "tokens")}.`,
  lineBreak: "quebra de linha",
  blank: "espaço",
  autoOn: "Percorrer",
  autoOff: "Segurar",
  nextPassage: "Próximo trecho",

  look: "Um olhar por dentro",
  lookHelp:
    "O que o modelo nesta aba faz com o trecho, calculado aqui a partir dos pesos que estão sendo treinados.",

  yourLoss: "A sua perda",
  lossHelp: "nats por token, no texto em que você treina",
  lossInWords: (nats) =>
    `nats por token, no texto em que você treina: tão bom quanto adivinhar entre ${formatChoices(nats)} tokens`,
  passageInWords: (nats) =>
    `Este trecho é para ele tão difícil quanto adivinhar cada token entre ${formatChoices(nats)}.`,
  credit: "Crédito",
  creditHelp: "tokens seus incorporados ao modelo",
  creditRecent: (tokens) => `${formatLarge(tokens)} deles enviados no último dia`,
  refusals: "Recusados",
  lastAt: (at) => `o último em ${formatTime(at)}`,
  sentTokens: "Treinado com",
  sentHelp: "tokens enviados desde que esta página foi aberta",
  traffic: "Tráfego",
  trafficText: (down, up) => `${formatBytes(down)} recebidos, ${formatBytes(up)} enviados`,
  creditDetail: (merged, pending, refused) =>
    `${plural(merged, "delta incorporado", "deltas incorporados")}, ${formatCount(pending)} em espera, ` +
    `${plural(refused, "recusado", "recusados")}`,

  people: "Os nomes, e os seus dados",
  peopleHelp: "Nomes de voluntários, como escolher o seu, e os dados que o servidor tem sobre você.",

  run: "O projeto",
  heldOut: "Perda em texto reservado",
  heldOutHelp:
    "Quanto o modelo se surpreende com um texto em que ninguém treina, em nats por token. Quanto menos, melhor.",
  heldOutNow: (nats, bits) => ` Agora ${nats}, ou seja, ${bits}.`,
  rounds: (ms) =>
    `Todos treinam ao mesmo tempo: mais ou menos a cada ${formatDuration(ms)} nasce uma versão do que chegou a tempo.`,
  oneMore: (part) =>
    `Mais um navegador faria agora cada versão aprender cerca de ${formatPart(part)} a mais.`,
  turns: "Os voluntários se revezam a cada versão; quando há muitos, alguns esperam.",
  sample: "O que ele escreve agora",
  playgroundLink: "Experimente com as suas próprias palavras",
  volunteers: "Voluntários",
  tokens: "Tokens aprendidos",
  birds: (volunteers) =>
    volunteers === 0
      ? "Ninguém está treinando agora."
      : `${plural(volunteers, "voluntário", "voluntários")} agora, um pássaro para cada um.`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "O único pássaro é você: não há mais ninguém aqui agora."
      : `${plural(volunteers, "voluntário", "voluntários")} aqui, um pássaro para cada um. O seu brilha.`,
  finishedTitle: "O modelo está pronto",
  finishedText: "Este projeto acabou: não há mais nada a treinar, e o modelo está aqui para ficar.",
  downloadModel: "Baixar o modelo",
  statusPage: "Como vai o projeto",
  howPage: "Como funciona o treinamento",
  howLink:
    "É novidade para você? Veja como funciona o treinamento, com uma pequena rede que aprende diante de você",
  playgroundPage: "Área de testes",
  benchPage: "Qual é a velocidade deste navegador?",
  benchLink: "Medir com que velocidade este navegador poderia treinar",
  downloadHelp: "safetensors, versão por versão",

  paused: {
    visitor: "Em pausa, por você.",
    hidden: "Em pausa enquanto esta aba não está à vista.",
    battery: "Em pausa enquanto a máquina está na bateria.",
    saver: "Em pausa enquanto este navegador economiza dados.",
    heat: "Em pausa enquanto a máquina está quente ou ocupada.",
    schedule: "Em pausa fora das horas que você escolheu.",
    budget: "Em pausa: os dados que este site permite para hoje acabaram.",
    site: "Em pausa, pelo site em que você está.",
    "other-tab": "Outra aba está treinando. Esta assume quando aquela parar.",
    operator: "Quem mantém o projeto o pôs em pausa. O treinamento volta quando for retomado.",
  },
  unable: {
    insecure,
    "no-device":
      "Nenhum modo de treinar funcionou neste navegador: nem a placa de vídeo nem o processador passaram na verificação.",
    "no-ed25519":
      "Este navegador não sabe criar chaves Ed25519, que assinam o seu trabalho. Uma versão atual dele sabe.",
    stuck:
      "O treinamento não começou: uma parte deste navegador não responde. Tente de novo, ou reinicie o navegador.",
    failed: "O treinamento falhou de um modo que esta página não esperava.",
  },
  downloading: {
    weights: "Baixando os pesos do modelo…",
    text: "Baixando texto para treinar…",
    change: "Alcançando a versão mais nova…",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "JavaScript puro" },
  software: (device) => `${device} (por software, no processador)`,
  phase: {
    starting: "Começando…",
    probing: (device) => `Testando o que esta máquina consegue (${device})…`,
    queued: "Esperando o próximo pedaço de trabalho.",
    training: "Treinando em um trecho…",
    auditing: "Conferindo para o servidor o delta de outra pessoa…",
    sending: (bytes) => `Enviando o seu delta (${formatBytes(bytes)})…`,
    waiting: (ms) => `Sem trabalho agora. Nova pergunta em ${formatDuration(ms)}.`,
    quarantined: (ms) =>
      "O seu trabalho não passou em uma verificação, o que pode acontecer também com trabalho honesto. O servidor não aceita nenhum " +
      `por ${formatDuration(ms)}; depois o treinamento volta sozinho.`,
    banned:
      "Quem mantém este projeto baniu este navegador, por isso o servidor não aceita trabalho dele. Só essa pessoa pode desfazer " +
      "isso; pergunte a ela se você acha que é um engano.",
    away: (why, ms) => `${why} Nova tentativa em ${formatDuration(ms)}; nada se perde.`,
    finished: "O projeto terminou, e o modelo também. Obrigado.",
    stopped: "Parado. Nada está rodando.",
  },
  noAnswer: "O servidor não responde.",
  spoken: {
    training: "Treinando.",
    starting: "Começando.",
    waiting: "Esperando trabalho.",
    away: "O servidor não responde. Nova tentativa a seguir.",
  },

  refusedWork: (why) => `O seu último trabalho não foi aceito: ${why}.`,
  refusal: {
    late: "chegou tarde demais, o modelo já tinha avançado. Fica guardado para o seu próximo delta",
    expired: "chegou depois do prazo, e o texto foi dado a outra pessoa",
    repeated: "já tinha sido enviado antes",
    invalid: "o treinamento neste aparelho produziu números inválidos (NaN)",
    large: "teria mudado o modelo mais do que o treinamento consegue",
    paused: "quem mantém o projeto o pôs em pausa",
    finished: "o projeto terminou",
    quarantined:
      "um trabalho anterior deste navegador não passou em uma verificação, e por um tempo nenhum é aceito",
    banned: "quem mantém o projeto baniu este navegador",
    busy: "chegaram pedidos demais de uma vez",
  },
  refusalByCode: {
    unread: (code) => `o servidor não conseguiu ler o que chegou (“${code}”)`,
    unfit: (code) => `não combina com este projeto ou com a chave deste navegador (“${code}”)`,
    outdated: (code) => `esta página é mais antiga ou mais nova que o servidor (“${code}”); recarregar ajuda`,
    server: (code) => `o servidor não pode aceitar isso agora (“${code}”)`,
  },
};
