import { formatBytes, formatChoices, formatCount, formatLoss, formatPart, plural } from "../ui/format.ts";
import { BATCH, FILTERS, HELD_OUT, NUMBERS, TRAINED_ON } from "./shape.ts";

/** The strings of the page about training. */
export const words = {
  title: "How training works",
  tagline: "Is training on images the same thing as training on text? Watch one, read the other, and see.",
  back: "Back to the training",
  intro:
    "A network is a pile of numbers. Training means three things, over and over: show it an example, let it " +
    "guess, and nudge every number a little, so that next time the guess is less wrong. Below, a tiny network " +
    "learns to read handwriting in this very page. Beside it: the same three steps in the language model that " +
    "volunteers train here.",
  pictures: "Pictures",
  text: "Text",

  begin: "Let it learn",
  beginNote: (downloads: number) =>
    `It runs in this tab only, on the processor, and sends nothing anywhere. About ${formatBytes(downloads)} to ` +
    `download: ${formatCount(TRAINED_ON + HELD_OUT)} digits that people wrote, and tfjs, which does the sums.`,
  loading: "Fetching the digits…",
  learning: "Learning",
  resting: "Resting",
  finished: "Done: it has seen every digit eight times",
  failed: "It could not run here:",
  retry: "Reload the page",
  go: "Resume",
  pause: "Pause",
  one: "One step",
  reset: "Start over",
  hurry: "As fast as it can",
  progress: (step: number, right: number | undefined) =>
    `${plural(step, "step")}, ${formatCount(step * BATCH)} digits looked at` +
    (right === undefined
      ? ""
      : `; reads ${formatPart(right)} of ${formatCount(HELD_OUT)} digits it never learnt from`),
  announced: (right: number) => `It now reads ${formatPart(right)} of the digits it never learnt from.`,

  sample: "Sample",
  samplePicture:
    `An example is a digit: 28 × 28 greys. ${FILTERS} small filters slide over it. Wherever the ink under one looks ` +
    "like the filter, it answers strongly. All its answers together are a new picture: a feature map.",
  sampleText: (context: number, vocabulary: number) =>
    `An example is a stretch of text: ${formatCount(context)} tokens, out of ${formatCount(vocabulary)} that the model ` +
    "knows. Nothing slides here. Instead each token looks back at all before it, and attention decides which of them " +
    "matter: a filter that chooses its own window.",
  sampleTextUnknown:
    "An example is a stretch of text, cut into tokens. Nothing slides here. Instead each token looks back at all " +
    "before it, and attention decides which of them matter: a filter that chooses its own window.",
  textWindow: (version: number) =>
    `From the words before, the next is to be guessed; then the one after it, at every place. (Version ${formatCount(version)} ` +
    "wrote these itself. Really they are tokens: words or pieces of words.)",
  digitLabel: (label: number) => `A handwritten ${label}, with the filter’s window on it`,
  windowLabel: "Place of the window",
  windowAt: (row: number, column: number) => `row ${row + 1}, column ${column + 1}`,
  slide: "Slide",
  hold: "Hold",
  another: "Another digit",
  filter: "Filter",
  filterNumber: (i: number) => `Filter ${i + 1}`,
  mapLabel: (i: number) => `Feature map of filter ${i + 1}`,
  answer: (value: number) => (value > 0 ? `answers ${value.toFixed(2)}` : "answers nothing"),
  maps: "Filters and their feature maps",
  mapsHelp: "Blue asks for ink, orange for paper. Choose one to see it slide.",

  predict: "Predict",
  predictPicture:
    "From the feature maps it works out a probability for each of the ten digits. Nobody told it the rules.",
  predictText: (vocabulary: number) =>
    `For every place in the text it works out a probability for each of the ${formatCount(vocabulary)} tokens that could ` +
    "come next. Nobody told it the rules of English either.",
  predictTextUnknown:
    "For every place in the text it works out a probability for each token that could come next. Nobody told it the " +
    "rules of English either.",
  truth: "truth",
  says: (guess: number, share: string, label: number) =>
    guess === label
      ? `It says ${guess} (${share}), and that is right.`
      : `It says ${guess} (${share}); it is a ${label}.`,
  choices: (from: number, to: number, version: number) =>
    `At the start the next token was as hard as picking among ${formatChoices(from)}. Version ${formatCount(version)} ` +
    `hesitates among ${formatChoices(to)}.`,
  choicesStart: "at the start",
  choicesNow: "now",
  choicesLabel: "How many tokens it hesitates among",
  seeGuesses: "See its guesses, word by word, while your browser helps",

  adjust: "Adjust",
  adjustPicture:
    `The loss says how surprised it was by the truth. For each of its ${formatCount(NUMBERS)} numbers one can work out ` +
    "which way to nudge it to be less surprised: that is the gradient. Then all are nudged, and the next digits come.",
  lossNow: (loss: number) =>
    `Loss: ${formatLoss(loss)} nats, as unsure as between ${formatChoices(loss)} digits`,
  lossWait: "The loss appears with the first step.",
  lossLabel: (from: number, to: number) =>
    `The loss went from ${formatLoss(from)} to ${formatLoss(to)} nats.`,
  before: "Before the first step",
  now: "Now",
  nowFilter: (i: number) => `Filter ${i + 1} now`,
  firstFilter: (i: number) => `Filter ${i + 1} before the first step`,
  adjustText: (parameters: number) =>
    `The same loss, the same gradient, for ${formatCount(parameters)} numbers. But here many browsers work out the nudges ` +
    "together: each trains for a few seconds, sends how far its numbers moved (a delta), and the server averages them.",
  adjustTextUnknown:
    "The same loss and the same gradient. But here many browsers work out the nudges together: each trains for a few " +
    "seconds, sends how far its numbers moved (a delta), and the server averages them.",
  lastVersion: (version: number, deltas: number, tokens: number) =>
    `Version ${formatCount(version)} was made of ${plural(deltas, "delta")}, from ${plural(tokens, "token")} of text.`,
  everybody: (versions: number, tokens: number) =>
    `So far: ${plural(versions, "version")}, ${plural(tokens, "token")} learnt from.`,

  exam: "Digits it never learnt from",
  examHelp: "Under each its guess and how sure it is. Practice does not count; only these do.",
  examWait: "They are asked about as soon as it learns.",
  examLabel: ({ label, guess }: { label: number; guess: number }) =>
    guess === label ? `a ${label}, read as ${guess}: right` : `a ${label}, read as ${guess}: wrong`,
  accuracyLabel: (right: number) => `Share of held-out digits read rightly, up to ${formatPart(right)} now`,
  wrote: "Text it never learnt from",
  wroteHelp: "The run is judged in the same way: by held-out text. And anyone can read how it writes.",
  runAway: "The run of this server cannot be reached just now, so its numbers are missing here.",

  same: "So, is it the same thing?",
  sameText:
    "Yes, except for what the numbers are wired to. Sample, predict, adjust: that is all of it, for both.",
  columns: ["", "Digits, here", "Text, in the run"],
  rows: (vocabulary: number | undefined) => [
    ["One example", "28 × 28 greys", "a stretch of tokens"],
    ["What looks at it", "filters that slide", "attention that chooses where to look"],
    [
      "The guess",
      "which of 10 digits",
      vocabulary === undefined
        ? "which token comes next"
        : `which of ${formatCount(vocabulary)} tokens comes next`,
    ],
    ["The loss", "surprise at the true digit, in nats", "surprise at the true token, in nats"],
    ["The adjustment", "against the gradient, on every number", "against the gradient, on every number"],
    ["Who does it", "this tab, alone", "everyone’s browser for a few seconds, then the mean of all"],
  ],
} as const;
