/** The strings of adding text to a run. */
export const moreText = {
  title: "More text",
  help:
    "Text that you add comes in at a version’s boundary, and what is held out stays held out. It is read in the run’s own " +
    "tokens.",
  from: "Where the text is",
  upload: "A file of yours",
  uploadHelp: (most: string) =>
    `.txt, .md or .jsonl, each also as .gz, or .parquet with a column "text"; up to ${most}`,
  url: "An address",
  urlHelp: "the server fetches it; public addresses only",
  address: "Address",
  weight: "Times in an epoch",
  weightHelp: "2: twice as often as the rest; 0.5: every other epoch",
  drop: "Leave out passages that the run has already",
  dropHelp: "among them may be what is held out",
  add: "Add this text",
  adding: "Adding text",
  failed: (code: string) => `The text was not added (${code})`,
  refused: (why: string) => `That did not work: ${why}`,
  away: "the server does not answer",
  added: "Added so far",
  line: (bytes: string, tokens: string) => `${bytes}, ${tokens} tokens`,
  duplicates: (passages: string) => `${passages} passages came before`,
  waits: "comes in at the next version",
} as const;
