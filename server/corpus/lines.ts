import { CorpusError } from "./error.ts";

/** Characters of the longest line: it is parsed whole, so it must fit in memory. */
export const MAX_LINE = 64 * 1024 * 1024;

/** A text's lines. Throws `bad-json` for one that is too long. */
export async function* linesOf(text: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let parts: string[] = []; // of the line so far: joined once, so that a long line costs no quadratic time
  let length = 0;
  for await (const piece of text) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      parts.push(piece.slice(from, end));
      yield parts.join("");
      parts = [];
      length = 0;
      from = end + 1;
    }
    if (from < piece.length) parts.push(piece.slice(from));
    length += piece.length - from;
    if (length > MAX_LINE)
      throw new CorpusError("bad-json", `${name} has a line of over ${MAX_LINE} characters`);
  }
  if (parts.length > 0) yield parts.join("");
}
