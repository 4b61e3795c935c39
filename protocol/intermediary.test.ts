import { describe, expect, it } from "vitest";
import { intermediaryIn, intermediaryOf, intermediaryWith } from "./intermediary.ts";
import { PROTOCOL_HEADER } from "./version.ts";

const HTML = { "content-type": "text/html; charset=utf-8" };

describe("whose an answer is", () => {
  it.each([
    [
      "a login page in place of the answer",
      new Response("<html>", { headers: HTML }),
      { kind: "page", status: 200 },
    ],
    ["a redirect to a login", new Response(null, { status: 302 }), { kind: "redirect", status: 302 }],
  ])("%s is not the server's", (_, response, seen) => {
    expect(intermediaryOf(response)).toEqual(seen);
  });

  it.each([
    ["one with the protocol's header, even a page", { ...HTML, [PROTOCOL_HEADER]: "1" }],
    [
      "one whose headers a proxy took away, while its body may be the server's",
      { "content-type": "application/json" },
    ],
  ])("%s may be the server's", (_, headers) => {
    expect(intermediaryOf(new Response("{}", { headers }))).toBeUndefined();
  });

  it("a redirect that a browser hides is distinguished from an answer", () => {
    const hidden = { status: 0, ok: false, type: "opaqueredirect", headers: new Headers() } as const;
    expect(intermediaryOf(hidden)).toEqual({ kind: "redirect" });
  });

  it.each([
    [413, "too-large"],
    [431, "headers-too-large"],
    [401, "forbidden"],
    [403, "forbidden"],
    [404, "not-found"],
    [429, "too-many"],
    [502, "gateway"],
    [504, "gateway"],
    [522, "gateway"],
    [418, "status"],
    [500, "status"],
  ])("a proxy's own %i is %s", (status, kind) => {
    expect(intermediaryWith(status)).toEqual({ kind, status });
  });

  it.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "certificate"],
    ["CERT_HAS_EXPIRED", "certificate"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate"],
    ["ENOTFOUND", "unknown-host"],
    ["ECONNREFUSED", "refused"],
    ["ECONNRESET", "unreachable"],
  ])("no answer for %s is %s", (code, kind) => {
    const cause = Object.assign(new Error(), { code });
    expect(intermediaryIn(new TypeError("fetch failed", { cause }))).toEqual({ kind });
  });

  it("no answer for a reason that a browser keeps to itself is unreachable", () => {
    expect(intermediaryIn(new TypeError("Failed to fetch"))).toEqual({ kind: "unreachable" });
  });
});
