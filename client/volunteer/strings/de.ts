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
  "Diese Seite kam über unverschlüsseltes HTTP, und da schalten Browser die Grafikkarte, Schlüssel und Sperren ab, die das " +
  "Training braucht. Es geht von einer https://-Adresse aus, oder von localhost auf dem Rechner des Servers selbst.";

export const words: VolunteerWords = {
  name: "Murmuration",
  tagline: "Viele Browser, ein kleiner Verstand.",
  neighbours: "Ein Star folgt sieben Nachbarn; der ganze Schwarm sieht aus wie ein einziger Verstand.",

  noRunLink: "So macht man einen",

  consentTitle: (run) => `Hilfst du, „${run}“ zu trainieren?`,
  whatFor: "Wofür",
  whatRuns: "Was läuft",
  whatRunsText: (parameters, audits = false) =>
    `Ein kleines Sprachmodell mit ${formatLarge(parameters)} Parametern (nach dem Entwurf von GPT-2) trainiert in diesem Tab, auf ` +
    "deiner Grafikkarte oder deinem Prozessor, jeweils ein paar Sekunden, mit Textstellen, die der Server austeilt." +
    (audits
      ? " Ab und zu prüft es die Änderung am Modell, die jemand anderes geschickt hat, ohne zu erfahren, wer das war."
      : ""),
  forWhom: "Für wen",
  forWhomText: (operator, host) =>
    `${operator === "" ? "Wer den Server betreibt" : operator}, unter ${host}. Das Modell gehört allen: Jede Version kann hier ` +
    "heruntergeladen werden, auch von dir.",
  leaves: "Was dein Gerät verlässt",
  leavesText:
    "Änderungen an den Gewichten des Modells, ihr Verlust und ihre Dauer, welche Art Gerät und Browser sie gemacht hat, und ein " +
    "zufälliger Schlüssel, der hier entsteht, um deine Arbeit von der anderer zu unterscheiden. Nie deine Dateien, dein Verlauf " +
    "oder etwas, das du eingibst.",
  sees: "Was der Server sieht",
  seesText: "Deine Internetadresse, wie bei jeder Seite, die du besuchst.",
  costs: "Was es dich kostet",
  costsText: (down, round) =>
    `Einmal etwa ${formatBytes(down)}${round === undefined ? "" : `, dann etwa ${formatBytes(2 * round)} pro Runde`}, und etwas ` +
    "Strom.",
  until: "Bis wann",
  untilText: (done, budget) =>
    `Der Lauf endet, wenn das Modell aus ${formatLarge(budget)} Token Text gelernt hat; ${formatLarge(done)} sind geschafft. Du ` +
    "darfst lange vorher gehen: Nichts wird von dir erwartet, und wenn du stoppst, gilt das sofort.",
  agree: "Training starten",
  promise:
    "Bisher ist nichts gelaufen. Du kannst jederzeit pausieren oder stoppen; den Tab zu schließen stoppt es auch.",
  insecure,

  pause: "Pause",
  pauseFor: "Pause für …",
  pauseLengths: { "half-hour": "30 Minuten", hour: "eine Stunde", tomorrow: "bis morgen" },
  pausedUntil: (at) => `Das Training geht von selbst weiter: ${formatTime(at)}.`,
  resume: "Weiter",
  stop: "Stopp",
  start: "Wieder starten",
  override: "Trotzdem trainieren",
  presets: "Wie viel von diesem Gerät?",
  presetNames: { quiet: "Leise", balanced: "Ausgewogen", allIn: "Alles" },
  presetHelp: {
    quiet: "ein Fünftel der Zeit, und nur während du hinsiehst",
    balanced: "die Hälfte der Zeit; ruht im Akkubetrieb und wenn das Gerät heiß ist",
    allIn: "die ganze Zeit, was es auch kostet",
  },
  presetOwn: "Eigene Auswahl",
  tune: "Feineinstellung",
  startPaused: "Pausiert beginnen, wann immer diese Seite geöffnet wird",
  keepAwake: "Bildschirm beim Training wach halten",
  pauseOnSaver: "Pausieren, während dieser Browser Daten spart",
  pauseOnHeat: "Pausieren, wenn das Gerät heiß oder ausgelastet ist",
  hoursOn: "Nur trainieren von",
  hoursTo: "bis",
  hoursFromLabel: "Trainieren ab dieser Zeit",
  hoursToLabel: "Trainieren bis zu dieser Zeit",
  share: "Nutzung dieses Geräts",
  shareText: (share) => `${formatProbability(share)} der Zeit`,
  pauseWhenHidden: "Pausieren, wenn dieser Tab verdeckt ist",
  pauseOnBattery: "Pausieren im Akkubetrieb",
  withPeers: "Mit anderen Besuchern teilen",
  withPeersHelp:
    "Die Browser der Besucher geben sich dann Modell und Text gegenseitig weiter und entlasten so diesen Server. Die, mit denen " +
    "du verbunden bist, sehen deine Internetadresse, wie bei einem Videoanruf, und du siehst ihre. Höchstens 8 Megabit pro " +
    "Sekunde gehen hinaus. Aus, solange du es nicht einschaltest.",
  withPeersState: (browsers, given, taken) =>
    `Verbunden mit ${plural(browsers, "Browser", "Browsern")}: ${formatBytes(given)} gegeben, ${formatBytes(taken)} genommen.`,
  yourPart: "Dein Anteil",

  download: "Laden",
  train: "Trainieren",
  send: "Senden",
  notYet: "noch nicht",
  downloadOf: { weights: "Gewichte", text: "Text", change: "Änderungen" },
  stepOf: (step, steps) => `Schritt ${formatCount(step)}/${formatCount(steps)}`,
  speed: (tokensPerSecond) => `${formatLarge(tokensPerSecond)} Token/s`,
  forVersion: (version) => `für Version ${formatCount(version + 1)}`,

  reading: "Was es liest",
  readingLabel: "Die Textstelle, Token für Token: Die Pfeiltasten gehen hindurch",
  readingHelp: "Zeige auf ein Wort oder nimm die Pfeiltasten, um zu sehen, was das Modell dort erwartet hat.",
  readingMissing:
    "Der Tokenizer konnte nicht geladen werden, deshalb ist die Textstelle nicht zu sehen. Das Training geht weiter, und jede " +
    "Runde versucht es noch einmal.",
  readingWait: "Die erste Textstelle erscheint, wenn die erste Runde des Trainings beginnt.",
  passage: (version, right, tokens) =>
    `Version ${formatCount(version)} hat hier ${formatCount(right)} von ${plural(tokens, "Token", "Token")} erraten.`,
  lineBreak: "Zeilenumbruch",
  blank: "Leerzeichen",
  autoOn: "Durchgehen",
  autoOff: "Anhalten",
  nextPassage: "Nächste Stelle",

  look: "Ein Blick hinein",
  lookHelp:
    "Was das Modell in diesem Tab mit der Textstelle tut, hier berechnet aus den Gewichten, die gerade trainiert werden.",

  yourLoss: "Dein Verlust",
  lossHelp: "Nat pro Token, auf dem Text, mit dem du trainierst",
  lossInWords: (nats) =>
    `Nat pro Token, auf dem Text, mit dem du trainierst: so gut wie unter ${formatChoices(nats)} Token zu raten`,
  passageInWords: (nats) =>
    `Diese Stelle fällt ihm so schwer, als müsste es jedes Token unter ${formatChoices(nats)} erraten.`,
  credit: "Punkte",
  creditHelp: "Token von dir, die im Modell stecken",
  creditRecent: (tokens) => `davon ${formatLarge(tokens)} am letzten Tag gesendet`,
  refusals: "Abgelehnt",
  lastAt: (at) => `zuletzt ${formatTime(at)}`,
  sentTokens: "Trainiert mit",
  sentHelp: "Token, gesendet seit diese Seite geöffnet wurde",
  traffic: "Datenverkehr",
  trafficText: (down, up) => `${formatBytes(down)} geladen, ${formatBytes(up)} gesendet`,
  creditDetail: (merged, pending, refused) =>
    `${plural(merged, "Delta", "Deltas")} übernommen, ${formatCount(pending)} in Arbeit, ${formatCount(refused)} abgelehnt`,

  people: "Namen und deine Daten",
  peopleHelp: "Namen von Freiwilligen, wie du deinen wählst, und die Daten, die der Server über dich hat.",

  run: "Der Lauf",
  heldOut: "Verlust auf zurückgehaltenem Text",
  heldOutHelp:
    "Wie überrascht das Modell von Text ist, mit dem niemand trainiert, in Nat pro Token. Weniger ist besser.",
  heldOutNow: (nats, bits) => ` Jetzt ${nats}, das sind ${bits}.`,
  rounds: (ms) =>
    `Alle trainieren gleichzeitig: Etwa alle ${formatDuration(ms)} entsteht eine Version aus dem, was rechtzeitig kam.`,
  oneMore: (part) => `Ein Browser mehr ließe jede Version jetzt etwa ${formatPart(part)} mehr lernen.`,
  turns: "Die Freiwilligen wechseln sich bei jeder Version ab; sind viele da, warten manche von ihnen.",
  sample: "Was es jetzt schreibt",
  playgroundLink: "Probier es mit deinen eigenen Worten aus",
  volunteers: "Freiwillige",
  tokens: "Gelernte Token",
  birds: (volunteers) =>
    volunteers === 0
      ? "Gerade trainiert niemand."
      : `${plural(volunteers, "Person hilft", "Personen helfen")} gerade: je ein Vogel.`,
  birdsWithYou: (volunteers) =>
    volunteers === 1
      ? "Der eine Vogel bist du: Gerade ist sonst niemand hier."
      : `${plural(volunteers, "Person hilft", "Personen helfen")} hier: je ein Vogel. Deiner leuchtet.`,
  finishedTitle: "Das Modell ist fertig",
  finishedText:
    "Dieser Lauf ist zu Ende: Es gibt nichts mehr zu trainieren, und das Modell ist da und bleibt.",
  downloadModel: "Das Modell herunterladen",
  statusPage: "Wie es dem Lauf geht",
  howPage: "Wie das Training funktioniert",
  howLink: "Neu hier? Sieh, wie das Training funktioniert, an einem kleinen Netz, das vor deinen Augen lernt",
  playgroundPage: "Spielwiese",
  benchPage: "Wie schnell ist dieser Browser?",
  benchLink: "Messen, wie schnell dieser Browser trainieren könnte",
  downloadHelp: "safetensors, Version für Version",

  paused: {
    visitor: "Von dir pausiert.",
    hidden: "Pausiert, solange dieser Tab verdeckt ist.",
    battery: "Pausiert, solange das Gerät im Akkubetrieb ist.",
    saver: "Pausiert, solange dieser Browser Daten spart.",
    heat: "Pausiert, solange das Gerät heiß oder ausgelastet ist.",
    schedule: "Pausiert außerhalb der Stunden, die du gewählt hast.",
    budget: "Pausiert: Was diese Website für heute an Daten erlaubt, ist verbraucht.",
    site: "Pausiert von der Website, auf der du bist.",
    "other-tab": "Ein anderer Tab trainiert. Dieser übernimmt, wenn jener aufhört.",
    operator: "Der Betreiber hat den Lauf pausiert. Das Training geht weiter, wenn er ihn fortsetzt.",
  },
  unable: {
    insecure,
    "no-device":
      "In diesem Browser ging kein Weg zu trainieren: Weder die Grafikkarte noch der Prozessor hat die Prüfung bestanden.",
    "no-ed25519":
      "Dieser Browser kann keine Ed25519-Schlüssel machen, mit denen deine Arbeit unterschrieben wird. Eine aktuelle Version kann es.",
    stuck:
      "Das Training hat nicht begonnen: Ein Teil dieses Browsers antwortet nicht. Versuche es noch einmal, oder starte den Browser neu.",
    failed: "Das Training ist auf eine Weise gescheitert, mit der diese Seite nicht gerechnet hat.",
  },
  downloading: {
    weights: "Die Gewichte des Modells werden geladen …",
    text: "Text zum Trainieren wird geladen …",
    change: "Die neueste Version wird nachgeholt …",
  },
  device: { webgpu: "WebGPU", wasm: "WebAssembly", webgl: "WebGL", cpu: "reines JavaScript" },
  software: (device) => `${device} (Software, auf dem Prozessor)`,
  phase: {
    starting: "Es geht los …",
    probing: (device) => `Probiert aus, was dieses Gerät kann (${device}) …`,
    queued: "Wartet auf das nächste Stück Arbeit.",
    training: "Trainiert mit einer Textstelle …",
    auditing: "Prüft für den Server das Delta von jemand anderem …",
    sending: (bytes) => `Dein Delta wird gesendet (${formatBytes(bytes)}) …`,
    waiting: (ms) => `Gerade gibt es keine Arbeit. Nächste Frage in ${formatDuration(ms)}.`,
    quarantined: (ms) =>
      "Deine Arbeit hat eine Prüfung nicht bestanden, was auch ehrlicher Arbeit passieren kann. Der Server nimmt " +
      `${formatDuration(ms)} lang keine an; dann geht das Training von selbst weiter.`,
    banned:
      "Der Betreiber dieses Laufs hat diesen Browser gesperrt, deshalb nimmt der Server keine Arbeit von ihm an. Nur der " +
      "Betreiber kann das aufheben; frag ihn, wenn du es für einen Irrtum hältst.",
    away: (why, ms) => `${why} Neuer Versuch in ${formatDuration(ms)}; nichts ist verloren.`,
    finished: "Der Lauf ist zu Ende und das Modell fertig. Danke.",
    stopped: "Gestoppt. Nichts läuft.",
  },
  noAnswer: "Der Server antwortet nicht.",
  spoken: {
    training: "Das Training läuft.",
    starting: "Es geht los.",
    waiting: "Wartet auf Arbeit.",
    away: "Der Server antwortet nicht. Neuer Versuch folgt.",
  },

  refusedWork: (why) => `Deine letzte Arbeit wurde nicht angenommen: ${why}.`,
  refusal: {
    late: "sie kam zu spät, das Modell war schon weiter. Sie wird für dein nächstes Delta aufgehoben",
    expired: "sie kam nach ihrer Frist, und ihr Text ging an jemand anderen",
    repeated: "sie war schon einmal gesendet worden",
    invalid: "das Training auf diesem Gerät ergab ungültige Zahlen (NaN)",
    large: "sie hätte das Modell stärker verändert, als Training es kann",
    paused: "der Betreiber hat den Lauf pausiert",
    finished: "der Lauf ist zu Ende",
    quarantined:
      "frühere Arbeit dieses Browsers hat eine Prüfung nicht bestanden, und eine Zeit lang wird keine angenommen",
    banned: "der Betreiber hat diesen Browser gesperrt",
    busy: "es kamen zu viele Anfragen auf einmal",
  },
  refusalByCode: {
    unread: (code) => `der Server konnte nicht lesen, was ankam („${code}“)`,
    unfit: (code) => `es passt nicht zu diesem Lauf oder zum Schlüssel dieses Browsers („${code}“)`,
    outdated: (code) => `diese Seite ist älter oder neuer als der Server („${code}“); neu laden hilft`,
    server: (code) => `der Server kann es gerade nicht annehmen („${code}“)`,
  },
};
