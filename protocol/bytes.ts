/** Bytes and their text forms. Everything on the wire is little-endian, like every device that trains. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The inverse of {@link toHex}, for an even number of hex digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** base64url without padding (RFC 4648 §5): safe in a header, a path and a file name. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The inverse of {@link toBase64Url}. Throws a DOMException on other characters. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** The bytes of a typed array, without a copy. */
export function bytesOf<B extends ArrayBufferLike>(array: ArrayBufferView<B>): Uint8Array<B> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** An integer from 0 to 2³² − 1 in four bytes. */
export function u32Bytes(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A copy of `bytes` as u16 tokens, whatever their alignment. `bytes.length` must be even. */
export function toTokens(bytes: Uint8Array): Uint16Array<ArrayBuffer> {
  return new Uint16Array(bytes.slice().buffer);
}

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Bytes, or parts of them in their order: of something large that nobody needs in one piece. */
export type Pieces = Uint8Array | readonly Uint8Array[];

export const partsOf = (pieces: Pieces): readonly Uint8Array[] =>
  pieces instanceof Uint8Array ? [pieces] : pieces;

export const lengthOf = (pieces: Pieces): number =>
  partsOf(pieces).reduce((sum, part) => sum + part.length, 0);

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
