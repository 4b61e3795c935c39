import { expect, test } from "vitest";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { type PassedRequest, refusalOf } from "../lib/passing.ts";
import { decodeAnswer, decodeBeat, decodeRequest, encodeBeat, encodePassed } from "./passed-message.ts";
import { joinRecord } from "./record-parts.ts";

const REQUEST: PassedRequest = {
  ...{ method: "POST", target: "/x?y=%20", address: "2001:db8::1", encrypted: true },
  ...{ headers: [["a", "ä"]], body: new Uint8Array([1, 2, 3]) },
};
const headed = (head: unknown) => concat(...joinRecord(utf8(JSON.stringify(head))));
const codeOf = (read: () => unknown) => {
  try {
    return read() && "read";
  } catch (error) {
    return error instanceof ProtocolError ? error.code : error;
  }
};

test("requests and answers come as they were sent", () => {
  expect(decodeRequest(encodePassed(REQUEST))).toEqual(REQUEST);
  const answer = { status: 201, headers: [["b", "c"]] as const, version: 9, body: utf8("yes") };
  expect(decodeAnswer(encodePassed(answer))).toEqual(answer);
});

test.each([
  ["nothing", new Uint8Array(), "bad-request"],
  ["a head that is longer than the message", new Uint8Array([9, 0, 0, 0, 1]), "bad-request"],
  ["a head of gigabytes", new Uint8Array([255, 255, 255, 255]), "too-large"],
  ["no JSON", concat(...joinRecord(utf8("{"))), "bad-json"],
  ["no object", headed([]), "bad-request"],
  ["no target", headed({ ...REQUEST, target: 1 }), "bad-request"],
  ["an endless target", headed({ ...REQUEST, target: "x".repeat(32_769) }), "bad-request"],
  ["too many headers", headed({ ...REQUEST, headers: Array(201).fill(["a", "b"]) }), "bad-request"],
  ["half a header", headed({ ...REQUEST, headers: [["a"]] }), "bad-request"],
  ["a head that nobody needs", headed({ ...REQUEST, more: "x".repeat(200_000) }), "too-large"],
])("%s is refused with a code, as a request and as an answer", (_what, message, code) => {
  expect(codeOf(() => decodeRequest(message))).toBe(code);
  expect(codeOf(() => decodeAnswer(message))).toBe(code);
});

const BEAT = { from: "a server", clock: 9, networkKey: new Uint8Array(32).fill(255) };

test("a leader's beat comes as it was sent", () => {
  expect(decodeBeat(encodeBeat(BEAT))).toEqual(BEAT);
});

test.each([
  ["of no base64url", "!".repeat(43)],
  ["of another length", "AAAA"],
  ["spelled in a second way", `${"_".repeat(42)}_`],
  ["that is a number", 7],
])("a leader's beat with a key %s is refused with a code", (_what, networkKey) => {
  expect(codeOf(() => decodeBeat(utf8(JSON.stringify({ ...BEAT, networkKey }))))).toBe("bad-request");
});

test("a refusal says its code and when to come again, and of what was not expected nothing", () => {
  const busy = refusalOf(new ProtocolError("too-many-requests", "busy", 1_500));
  expect(busy).toMatchObject({ status: 429, version: 0 });
  expect(busy.headers).toContainEqual(["retry-after", "2"]);
  expect(JSON.parse(new TextDecoder().decode(busy.body)).error).toMatchObject({ retryAfterMs: 1_500 });
  const odd = refusalOf(new Error("secret"));
  expect(odd.status).toBe(500);
  expect(new TextDecoder().decode(odd.body)).not.toContain("secret");
});
