/**
 * The character that stands for each byte in a byte-level tokenizer's file (GPT-2's `bytes_to_unicode`):
 * printable Latin-1 stands for itself, the other 68 bytes take the characters from U+0100 on, so that a
 * token is always printable text without a space. Index: byte.
 */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

/** The inverse of {@link BYTE_CHARACTERS}. */
export const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

function byteCharacters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : next++);
  });
}
