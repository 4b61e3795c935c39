/**
 * Cuts text into blocks, at the end of a paragraph where there is one, else of a line, else of a word.
 *
 * Block `i` has at least `size(i)` characters and at most twice as many; the last one may be shorter. The cut
 * is made before the last white space character of a run, because there the pre-tokenizer (words.ts) splits
 * anyway: the words of the blocks are the words of the whole text. Only where so long a stretch has no white
 * space is it cut between two characters.
 *
 * Joined, the blocks are the text.
 */
export async function* cutBlocks(
  pieces: AsyncIterable<string>,
  size: (block: number) => number,
): AsyncGenerator<string, void, undefined> {
  let rest = "";
  let block = 0;
  for await (const piece of pieces) {
    rest += piece;
    let from = 0;
    for (let least = size(block); rest.length - from > 2 * least; least = size(block)) {
      const end = cutPoint(rest, from + least, from + 2 * least);
      yield rest.slice(from, end);
      from = end;
      block += 1;
    }
    rest = rest.slice(from);
  }
  if (rest !== "") yield rest;
}

/** Where to cut: an index from `least` to `most`, both within the text. */
function cutPoint(text: string, least: number, most: number): number {
  let line = 0;
  let word = 0;
  let newlines = 0; // in the run of white space up to here
  for (let at = least; at < most; at++) {
    const code = text.charCodeAt(at);
    if (!isSpace(code)) {
      newlines = 0;
      continue;
    }
    if (code === NEWLINE) newlines += 1;
    if (isSpace(text.charCodeAt(at + 1))) continue;
    if (newlines > 1) return at;
    if (newlines === 1) line ||= at;
    word ||= at;
  }
  return line || word || (isHighSurrogate(text.charCodeAt(most - 1)) ? most - 1 : most);
}

const NEWLINE = 10;

const isHighSurrogate = (code: number) => code >= 0xd800 && code < 0xdc00;

/** The characters that `\s` matches in a JavaScript pattern. */
function isSpace(code: number): boolean {
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13);
  if (code === 0xa0 || code === 0x1680 || code === 0xfeff) return true;
  if (code < 0x2000 || code > 0x3000) return false;
  return (
    code <= 0x200a ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
