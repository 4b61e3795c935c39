/** Characters up to which a paragraph is one passage; a longer one is taken by lines, a longer line by sentences. */
const MAX_PARAGRAPH = 2_000;
/** Characters that lines or sentences of a long paragraph are put together to: shorter ones say too little. */
const MIN_TOGETHER = 64;
/** Characters that are looked through for a paragraph's end. */
const MAX_HELD = 64 * 1024;

const PARAGRAPH = /\n[^\S\n]*\n\s*/g;
const LINES = /[^\n]*\n\s*|[^\n]+$/g;
const SENTENCES = /[^.!?。！？]*[.!?。！？]+\s*|[^.!?。！？]+$/g;

/**
 * Cuts text into passages, some at a time: paragraphs with the white space behind them. Joined, they are the text. Where
 * one begins depends on the text just before it alone, so that the same paragraphs in another text are the same
 * passages. No more than {@link MAX_HELD} characters and one piece are held.
 */
export async function* passagesOf(
  pieces: AsyncIterable<string>,
): AsyncGenerator<readonly string[], void, undefined> {
  let rest = "";
  let long = false; // what is held goes on a paragraph of which some is out
  for await (const piece of pieces) {
    rest += piece;
    const found: string[] = [];
    let from = 0;
    // White space at the very end may go on in the next piece.
    for (const { index, 0: gap } of rest.matchAll(PARAGRAPH)) {
      const end = index + gap.length;
      if (end === rest.length) break;
      cut(rest.slice(from, end), long, found);
      from = end;
      long = false;
    }
    rest = rest.slice(from);
    if (rest.length > MAX_HELD) {
      const end = lastEnd(rest);
      cut(rest.slice(0, end), true, found);
      rest = rest.slice(end);
      long = true;
    }
    if (found.length > 0) yield found;
  }
  const found: string[] = [];
  if (rest !== "") cut(rest, long, found);
  yield found;
}

/** Where held text that has no paragraph's end is best cut: behind its last whole line, else its last sentence. */
function lastEnd(text: string): number {
  const line = text.lastIndexOf("\n") + 1;
  if (line > 0) return line;
  const sentence = Math.max(...[". ", "! ", "? ", "。"].map((mark) => text.lastIndexOf(mark)));
  return sentence > 0 ? sentence + 1 : text.length;
}

function cut(paragraph: string, long: boolean, found: string[]): void {
  if (!long && paragraph.length <= MAX_PARAGRAPH) {
    found.push(paragraph);
    return;
  }
  for (const line of together(paragraph.matchAll(LINES))) {
    if (line.length <= MAX_PARAGRAPH) found.push(line);
    else for (const sentence of together(line.matchAll(SENTENCES))) found.push(sentence);
  }
}

/** Parts that follow one another, put together where they are short. */
function* together(parts: Iterable<RegExpExecArray>): Iterable<string> {
  let held = "";
  for (const { 0: part } of parts) {
    held += part;
    if (held.length < MIN_TOGETHER) continue;
    yield held;
    held = "";
  }
  if (held !== "") yield held;
}
