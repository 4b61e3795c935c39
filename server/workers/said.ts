import { concat, utf8 } from "../../protocol/bytes.ts";

/** What a worker says of a job: that it has it, that it goes on, a part of the answer, its last part, or why there is none. */
export type Said =
  | { readonly type: "taken"; readonly who: string }
  | { readonly type: "working" }
  | { readonly type: "part" | "last"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "failed"; readonly why: string };

const TYPES = ["taken", "working", "part", "last", "failed"] as const;
/** Bytes of a worker's name, and of why it failed. */
const MAX_TEXT_BYTES = 512;

/** One byte for its type, and what belongs to it. */
export function encodeSaid(said: Said): Uint8Array<ArrayBuffer> {
  const type = Uint8Array.of(TYPES.indexOf(said.type));
  switch (said.type) {
    case "taken":
      return concat(type, text(said.who));
    case "failed":
      return concat(type, text(said.why));
    case "working":
      return type;
    default:
      return concat(type, said.bytes);
  }
}

/** Undefined for what no worker of ours says. */
export function decodeSaid(message: Uint8Array<ArrayBuffer>): Said | undefined {
  const type = TYPES[message[0] ?? -1];
  const bytes = message.subarray(1);
  if (type === undefined) return undefined;
  if (type === "part" || type === "last") return { type, bytes };
  if (bytes.length > MAX_TEXT_BYTES) return undefined;
  if (type === "working") return { type };
  const said = new TextDecoder().decode(bytes);
  return type === "taken" ? { type, who: said } : { type, why: said };
}

const text = (words: string): Uint8Array => utf8(words).subarray(0, MAX_TEXT_BYTES);
