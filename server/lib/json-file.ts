import { detectEncoding } from "./encoding.ts";

/**
 * Parses a JSON file that a person wrote: UTF-8 or UTF-16, with or without a byte order mark, as Windows' editors
 * and shells leave them. Throws a SyntaxError whose message is for that person.
 */
export function parseJsonFile(bytes: Uint8Array): unknown {
  const encoding = detectEncoding(bytes);
  if (encoding === "utf-32le" || encoding === "utf-32be") {
    throw new SyntaxError(`it is ${encoding.toUpperCase()}: save it as UTF-8`);
  }
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError("it is not UTF-8: save it as that");
  }
  return JSON.parse(text);
}
