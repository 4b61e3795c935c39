import { beforeEach, describe, expect, it } from "vitest";
import { OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { COOKIE, HOST, JSON_OWN, OperatorEdge } from "../../test/operator-edge.ts";
import { MAX_OPERATOR_BODIES, MAX_SIGN_INS, NETWORK_SHARE } from "../net/limits.ts";
import { SESSION_MS } from "../operator/sessions.ts";

let site: OperatorEdge;
beforeEach(() => {
  site = new OperatorEdge();
});

describe("signing in", () => {
  it("takes a link once, and gives a cookie that no script and no other site gets at", async () => {
    const response = await site.post(OPERATOR_ROUTES.signIn, { link: "the-link" });
    expect(await response.json()).toEqual({ name: "Ann" });
    expect(response.headers.get("set-cookie")).toMatch(
      /^murmuration-operator=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const again = await site.post(OPERATOR_ROUTES.signIn, { link: "the-link" });
    expect(again.status).toBe(401);
    expect(again.headers.get("set-cookie")).toBeNull();
  });

  it("marks the cookie Secure where the browser came by HTTPS", async () => {
    site.behind(1);
    const headers = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": "train.example",
      origin: "https://train.example",
    };
    const response = await site.post(OPERATOR_ROUTES.signIn, { link: "the-link" }, headers);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-murmuration-operator=.*; Secure$/);
  });

  it("keeps the cookie under the path of the page, and takes it away there", async () => {
    const headers = { origin: "https://localhost" };
    const response = await site.post(OPERATOR_ROUTES.signIn, { link: "the-link", path: "/train/" }, headers);
    const set = response.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^__Secure-murmuration-operator=[\w-]{43}; Path=\/train\/; .*; Secure$/);
    const cookie = set.split(";")[0] ?? "";
    const own = { ...headers, cookie: `__Secure-murmuration-operator=of-another-server; ${cookie}` };
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(200);
    const out = await site.post(OPERATOR_ROUTES.signOut, { path: "/train/" }, own);
    expect(out.headers.get("set-cookie")).toMatch(
      /^__Secure-murmuration-operator=; Path=\/train\/; Max-Age=0/,
    );
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(401);
    for (const path of ["train/", "/train", "/a b/", "/;x/", "//", 7, `/${"x".repeat(200)}/`]) {
      expect((await site.post(OPERATOR_ROUTES.signIn, { link: "the-link", path })).status, String(path)).toBe(
        400,
      );
    }
  });

  it("A11: is not tried for ever", async () => {
    const codes = [];
    for (let i = 0; i < 12; i++)
      codes.push((await site.post(OPERATOR_ROUTES.signIn, { link: `no${i}` })).status);
    expect(codes.slice(0, 10)).toEqual(new Array(10).fill(401));
    expect(codes.slice(10)).toEqual([429, 429]);
  });

  it("A37: is not kept from anyone by bodies that never end; the control: those of the signed-in have one room", async () => {
    const cookie = await site.signIn();
    const ending = new AbortController();
    /** Sends headers, and of the body nothing until the test is over. */
    const stall = (path: string, headers: Record<string, string>, remoteAddress: string) =>
      site.app.request(
        HOST + path,
        {
          ...{ method: "POST", headers: { ...JSON_OWN, ...headers }, duplex: "half" },
          body: new ReadableStream({
            start: (body) => ending.signal.addEventListener("abort", () => body.error(new Error("over"))),
          }),
        } as RequestInit,
        { incoming: { socket: { remoteAddress } } },
      );
    const stalled = Array.from({ length: MAX_SIGN_INS }, (_, one) =>
      stall(OPERATOR_ROUTES.signIn, {}, `198.51.100.${one}`),
    );
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie })).status).toBe(200);
    site.operator.link = "the-link";
    expect(await site.signIn(), "from another network").toMatch(COOKIE);
    const own = Array.from({ length: MAX_OPERATOR_BODIES }, () =>
      stall(OPERATOR_ROUTES.act, { cookie }, "203.0.113.1"),
    );
    await new Promise(setImmediate);
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie })).status).toBe(429);
    ending.abort();
    const statuses = (await Promise.all(stalled)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(NETWORK_SHARE * MAX_SIGN_INS);
    expect(new Set((await Promise.all(own)).map(({ status }) => status))).toEqual(new Set([400]));
  });

  it("lasts until its time is over, or the operator signs out", async () => {
    const cookie = await site.signIn();
    const pause = () => site.post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie });
    expect((await pause()).status).toBe(200);
    site.now = SESSION_MS - 1;
    expect((await pause()).status).toBe(200);
    site.now = SESSION_MS;
    expect((await pause()).status).toBe(401);

    site.operator.link = "the-link";
    const other = await site.signIn();
    const out = await site.post(OPERATOR_ROUTES.signOut, {}, { cookie: other });
    expect(out.headers.get("set-cookie")).toMatch(/^murmuration-operator=; .*Max-Age=0/);
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie: other })).status).toBe(401);
    expect(site.operator.done).toHaveLength(2);
  });
});
