import { createHash } from "node:crypto";

/** Bytes and their texts: rules P1, P4 and P5 of docs/PROTOCOL.md. */

/** SHA-256 as 64 hex digits. */
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

export const toBase64Url = (bytes) => Buffer.from(bytes).toString("base64url");
export const fromBase64Url = (text) => new Uint8Array(Buffer.from(text, "base64url"));
export const toHex = (bytes) => Buffer.from(bytes).toString("hex");
export const fromHex = (text) => new Uint8Array(Buffer.from(text, "hex"));
export const utf8 = (text) => new TextEncoder().encode(text);

export function concat(...parts) {
  return new Uint8Array(Buffer.concat(parts));
}

export function u32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** The bytes of an f32 vector, little-endian whatever the machine. */
export function floatsToBytes(values) {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}

export function bytesToFloats(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

export function bytesToTokens(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, true));
}

/** Canonical JSON (rule P4): the one text of a value. */
export function canonicalJson(value) {
  if (value === null || typeof value !== "object") {
    if (typeof value === "number" && !Number.isFinite(value)) throw new Error("JSON has no such number");
    return JSON.stringify(value); // strings and numbers as ECMAScript writes them
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  keys.sort(); // by UTF-16 code units
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(",")}}`;
}
