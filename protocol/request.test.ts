import { beforeAll, expect, it } from "vitest";
import { codeOf } from "../test/harness/code-of.ts";
import { fromBase64Url, toBase64Url, toHex, utf8 } from "./bytes.ts";
import { createIdentity, type Identity, sha256, WEB_CHECKS } from "./identity.ts";
import type { RunId, ServerNonce, Signature, TicketId } from "./ids.ts";
import { type Recipient, signRequest, verifyRequest } from "./request.ts";

const body = utf8("{}");
const nonce = toBase64Url(new Uint8Array(16).fill(9)) as TicketId;

let server: Identity;
let volunteer: Identity;
let to: Recipient;
beforeAll(async () => {
  server = await createIdentity();
  volunteer = await createIdentity();
  const serverNonce = toBase64Url(new Uint8Array(16).fill(4)) as ServerNonce;
  to = { run: "c".repeat(64) as RunId, server: server.key, origin: "https://train.example", serverNonce };
});
const asked = { method: "POST", path: "/api/tickets", body };

it("S2, A10: signed requests bind method, path, body and nonce; any flipped bit is refused", async () => {
  const headers = await signRequest(volunteer, asked, nonce, to);
  const check = (h: Record<string, string>, method = "POST", path = "/api/tickets", sent = body) =>
    codeOf(() => verifyRequest((name) => h[name], { method, path, body: sent }, server.key));
  expect(await check(headers)).toBe("accepted");
  expect(await check(headers, "PUT")).toBe("bad-signature");
  expect(await check(headers, "POST", "/api/deltas")).toBe("bad-signature");
  expect(await check(headers, "POST", "/api/tickets", utf8("{ }"))).toBe("bad-signature");
  expect(await check({})).toBe("bad-signature");
  expect(await check({ ...headers, "murmuration-key": server.key })).toBe("bad-signature");
  for (let bit = 0; bit < 64 * 8; bit += 37) {
    const bytes = fromBase64Url(headers["murmuration-signature"]!);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(await check({ ...headers, "murmuration-signature": toBase64Url(bytes) })).toBe("bad-signature");
  }
});

it("A10: signed requests are refused where their key, nonce or signature is in another spelling of the same bytes", async () => {
  const headers = await signRequest(volunteer, asked, nonce, to);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const name of ["murmuration-key", "murmuration-nonce", "murmuration-signature"] as const) {
    const text = headers[name]!;
    const spellings = [...alphabet]
      .map((last) => text.slice(0, -1) + last)
      .filter((other) => toHex(fromBase64Url(other)) === toHex(fromBase64Url(text)));
    expect(spellings.length).toBeGreaterThanOrEqual(4); // the control: there are others
    const taken: string[] = [];
    for (const spelling of spellings) {
      // Signed again, so that only the spelling can be refused.
      const other = name === "murmuration-nonce" ? (spelling as TicketId) : nonce;
      const sent: Record<string, string> = {
        ...(await signRequest(volunteer, asked, other, to)),
        [name]: spelling,
      };
      const code = await codeOf(() => verifyRequest((one) => sent[one], asked, server.key));
      if (code === "accepted") taken.push(spelling);
      else expect(code).toBe("bad-signature");
    }
    expect(taken).toEqual([text]);
  }
});

it("S2: requests are signed over these very bytes", async () => {
  const headers = await signRequest(volunteer, asked, nonce, to);
  const bytes = utf8(
    `murmuration-request-v2\n{"body":"${await sha256(body)}","method":"POST","nonce":"${nonce}",` +
      `"origin":"https://train.example","path":"/api/tickets","run":"${to.run}","server":"${server.key}",` +
      `"serverNonce":"${to.serverNonce}"}`,
  );
  expect(await WEB_CHECKS.verify(volunteer.key, bytes, headers["murmuration-signature"] as Signature)).toBe(
    true,
  );
});

it("S2: signed requests name the run, the server, the address it was reached by and its nonce: another of each is refused", async () => {
  const headers = await signRequest(volunteer, asked, nonce, to);
  const check = (changes: Record<string, string>, key = server.key) => {
    const sent: Record<string, string> = { ...headers, ...changes };
    return codeOf(() => verifyRequest((name) => sent[name], asked, key));
  };
  expect(await check({})).toBe("accepted");
  expect(await check({}, volunteer.key)).toBe("bad-signature");
  expect(await check({ "murmuration-run": "d".repeat(64) })).toBe("bad-signature");
  expect(await check({ "murmuration-origin": "https://train.example:444" })).toBe("bad-signature");
  expect(await check({ "murmuration-server-nonce": nonce })).toBe("bad-signature");
  for (const malformed of [
    "",
    "train.example",
    "https://Train.example",
    "https://train.example/",
    "ftp://a",
  ]) {
    const signed = await signRequest(volunteer, asked, nonce, { ...to, origin: malformed });
    expect(await check(signed), malformed).toBe("bad-signature");
  }
});
