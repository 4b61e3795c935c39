import type { Tokenizer } from "../../model/data/tokenizer.ts";

/** Bytes of text (UTF-8) of a token that a loss over `windows` is measured on, in the mean: of all but each one's first. */
export function bytesPerToken(tokenizer: Pick<Tokenizer, "bytes">, windows: readonly Uint16Array[]): number {
  let [bytes, tokens] = [0, 0];
  for (const window of windows) {
    bytes += tokenizer.bytes(window) - tokenizer.bytes(window.subarray(0, 1));
    tokens += window.length - 1;
  }
  return bytes / tokens;
}
