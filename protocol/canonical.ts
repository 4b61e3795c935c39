import { utf8 } from "./bytes.ts";

/**
 * The bytes that are signed (rules S1 and S2). JSON with sorted keys and no white space, as RFC 8785 (JCS)
 * for the values we use: objects, arrays, strings, booleans, finite numbers. A line naming the purpose comes
 * first, so that a signature made for one kind of message never fits another.
 */
export type Purpose = "ticket" | "receipt" | "request" | "version" | "chunks" | "audit" | "link";

/** Number of each kind of signed value. It changes with the fields, so that an old value is never mistaken for a new one. */
const VERSIONS: Record<Purpose, number> = {
  ...{ ticket: 1, receipt: 1, request: 2 },
  ...{ version: 1, chunks: 1, audit: 1, link: 1 },
};

export function canonicalBytes(purpose: Purpose, value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(`murmuration-${purpose}-v${VERSIONS[purpose]}\n${canonicalJson(value)}`);
}

export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError("JSON has no such number");
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
  return text;
}
