import { concat, fromBase64Url, toBase64Url, utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, asInteger, asObject, asText, parseJson } from "../../protocol/guards.ts";
import { isCanonical } from "../../protocol/ids.ts";
import type { LeaderBeat, PassedAnswer, PassedRequest } from "../lib/passing.ts";
import { joinRecord, splitMessage } from "./record-parts.ts";

const MAX_HEADERS = 200;
/** Characters of a request's target, or of a header's value. */
const MAX_TEXT_CHARS = 32_768;
/** Bytes of all that is said of a request before its body: Node takes headers of 16 KiB, and JSON escapes them. */
const MAX_HEAD_BYTES = 128 * 1024;

/** Characters of a request's id. */
const MAX_ID_CHARS = 64;
/** Characters of a network key. */
const NETWORK_KEY_CHARS = 43;

/** A request, or its answer, as one message: a head of JSON, and the body. */
export const encodePassed = ({ body, ...head }: PassedRequest | PassedAnswer): Uint8Array<ArrayBuffer> =>
  concat(...joinRecord(utf8(JSON.stringify(head)), body));

/** Throws `too-large`, `bad-json` or `bad-request` for what no edge of ours sends. */
export function decodeRequest(message: Uint8Array<ArrayBuffer>): PassedRequest {
  const { head, body } = splitMessage(message, MAX_HEAD_BYTES);
  const { method, target, headers, address, encrypted, id } = parseJson(head);
  return {
    method: asText(method, "method", 16),
    target: asText(target, "target", MAX_TEXT_CHARS),
    headers: headersOf(headers),
    address: asText(address, "address", 128),
    encrypted: encrypted === true,
    ...(id !== undefined && { id: asText(id, "id", MAX_ID_CHARS) }),
    body,
  };
}

/** Throws as {@link decodeRequest} does. */
export function decodeAnswer(message: Uint8Array<ArrayBuffer>): PassedAnswer {
  const { head, body } = splitMessage(message, MAX_HEAD_BYTES);
  const { status, headers, version } = asObject(parseJson(head), "an answer");
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  return {
    status: as(isCount, status, "a status"),
    headers: headersOf(headers),
    version: as(isCount, version, "a version"),
    body,
  };
}

/** The id of a request whose sender has left. Throws as {@link decodeRequest} does. */
export function decodeLeft(message: Uint8Array): string {
  if (message.length > MAX_ID_CHARS)
    throw new ProtocolError("too-large", `an id may have ${MAX_ID_CHARS} bytes`);
  return new TextDecoder().decode(message);
}

export const encodeBeat = ({ from, clock, networkKey }: LeaderBeat): Uint8Array<ArrayBuffer> =>
  utf8(JSON.stringify({ from, clock, networkKey: toBase64Url(networkKey) }));

/** Throws as {@link decodeRequest} does. */
export function decodeBeat(message: Uint8Array<ArrayBuffer>): LeaderBeat {
  if (message.length > MAX_HEAD_BYTES)
    throw new ProtocolError("too-large", `a beat may have ${MAX_HEAD_BYTES} bytes`);
  const { from, clock, networkKey } = parseJson(message);
  return {
    from: asText(from, "from", 128),
    clock: asInteger(clock, "clock", 0, Number.MAX_SAFE_INTEGER),
    networkKey: fromBase64Url(as(isNetworkKey, networkKey, "networkKey")),
  };
}

/** 32 bytes as {@link toBase64Url} writes them. */
const isNetworkKey = (value: unknown): value is string =>
  typeof value === "string" && value.length === NETWORK_KEY_CHARS && isCanonical(value);

const headersOf = (list: unknown): (readonly [string, string])[] =>
  asArray(list, "headers", MAX_HEADERS).map((pair) => {
    const [key, value] = asArray(pair, "a header", 2);
    return [asText(key, "a header", 256), asText(value, "a header", MAX_TEXT_CHARS)];
  });
