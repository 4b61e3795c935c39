/** The few texts of the button that the loader puts on a site's page. All languages are in it: it is one file. */
export interface ButtonWords {
  readonly label: string;
  /** Opens the box where the model writes, on sites that want it. */
  readonly ask: string;
  readonly note: (host: string) => string;
  readonly insecure: string;
  readonly sandboxed: string;
  readonly blocked: string;
}

const ENGLISH: ButtonWords = {
  label: "Help train a language model",
  ask: "Try the model",
  note: (host) => `Runs in your browser, for ${host}. It asks first.`,
  insecure: "Training needs https.",
  sandboxed: "Training cannot run in a sandboxed frame.",
  blocked: "It could not be loaded on this page.",
};

/** By language; where one has two scripts, in the one that client/language/ has. */
const WORDS: Readonly<Record<string, ButtonWords>> = {
  de: {
    label: "Ein Sprachmodell trainieren helfen",
    ask: "Das Modell ausprobieren",
    note: (host) => `Läuft in deinem Browser, für ${host}. Fragt dich zuerst.`,
    insecure: "Das Training braucht https.",
    sandboxed: "In einem abgeschotteten Rahmen kann nicht trainiert werden.",
    blocked: "Das konnte auf dieser Seite nicht geladen werden.",
  },
  en: ENGLISH,
  es: {
    label: "Ayudar a entrenar un modelo de lenguaje",
    ask: "Probar el modelo",
    note: (host) => `Se ejecuta en tu navegador, para ${host}. Primero pregunta.`,
    insecure: "El entrenamiento necesita https.",
    sandboxed: "En un marco aislado no se puede entrenar.",
    blocked: "No se pudo cargar en esta página.",
  },
  fr: {
    label: "Aider à entraîner un modèle de langue",
    ask: "Essayer le modèle",
    note: (host) => `S’exécute dans votre navigateur, pour ${host}. Demande d’abord.`,
    insecure: "L’entraînement a besoin de https.",
    sandboxed: "On ne peut pas entraîner dans un cadre isolé.",
    blocked: "Impossible à charger sur cette page.",
  },
  ja: {
    label: "言語モデルの学習を手伝う",
    ask: "モデルを試す",
    note: (host) => `あなたのブラウザーで、${host} のために動きます。先にお尋ねします。`,
    insecure: "学習には https が必要です。",
    sandboxed: "隔離された枠の中では学習できません。",
    blocked: "このページでは読み込めませんでした。",
  },
  pt: {
    label: "Ajudar a treinar um modelo de linguagem",
    ask: "Experimentar o modelo",
    note: (host) => `Roda no seu navegador, para ${host}. Pergunta antes.`,
    insecure: "O treinamento precisa de https.",
    sandboxed: "Não dá para treinar em um quadro isolado.",
    blocked: "Não foi possível carregar nesta página.",
  },
  zh: {
    label: "帮助训练语言模型",
    ask: "试试模型",
    note: (host) => `在你的浏览器里为 ${host} 运行。会先征求你的同意。`,
    insecure: "训练需要 https。",
    sandboxed: "在隔离的框架里无法训练。",
    blocked: "无法在本页面上加载。",
  },
};

/** Its language: the first of a list of tags that we have, as client/language/ chooses, which no npm entry can import. */
export function buttonLanguage(tags: readonly unknown[]): string {
  for (const tag of tags) {
    const [, language = ""] =
      typeof tag === "string" ? (/^(\w+)(?!(?!.*-hans\b).*-(?:hant|tw|hk|mo)\b)/i.exec(tag) ?? []) : [];
    if (Object.keys(WORDS).includes(language.toLowerCase())) return language.toLowerCase();
  }
  return "en";
}

/** The button's language and its texts: `wished` is the site's, if it names one, before the visitor's. */
export function buttonWords(wished: string | null): readonly [tag: string, words: ButtonWords] {
  const tag = buttonLanguage([wished, ...navigator.languages]);
  return [tag, WORDS[tag] ?? ENGLISH];
}
