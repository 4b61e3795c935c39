import { beforeEach, describe, expect, it } from "vitest";
import { MADE_UP_CLIENT, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { OperatorEdge } from "../../test/operator-edge.ts";

let site: OperatorEdge;
beforeEach(() => {
  site = new OperatorEdge();
});

describe("signing in behind a reverse proxy", () => {
  const PAGE = { origin: "https://train.example" };
  const tries = (headers: Record<string, string>) =>
    site.post(OPERATOR_ROUTES.signIn, { link: "the-link" }, { ...PAGE, host: "127.0.0.1:8080", ...headers });

  it.each([
    [
      "rewrites Host and says nothing, to a browser that compares by itself",
      { "sec-fetch-site": "same-origin" },
    ],
    ["names the host", { "x-forwarded-host": "train.example" }],
    ["adds its name to another's", { "x-forwarded-host": "train.example, inner.example" }],
    [
      "names the port that the scheme implies",
      { "x-forwarded-host": "train.example", "x-forwarded-port": "443" },
    ],
    ["speaks RFC 7239", { forwarded: 'for=203.0.113.9;host="train.example";proto=https' }],
  ])("that %s, the operator signs in, with a Secure cookie", async (_, headers) => {
    site.behind(1);
    const response = await tries(headers);
    expect(response.status).toBe(200);
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Host-murmuration-operator=.*; Path=\/; .*; Secure$/);
    const own = { cookie: cookie.split(";")[0] ?? "", ...PAGE, ...headers };
    expect((await site.post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(200);
  });

  const visitor = "203.0.113.9";
  it.each<[string, number, string, boolean]>([
    ["passes on what the browser sent", 1, MADE_UP_CLIENT.address, true],
    ["appends where two should", 2, `${MADE_UP_CLIENT.address}, ${visitor}`, true],
    ["appends", 1, `${MADE_UP_CLIENT.address}, ${visitor}`, false],
    ["writes its own", 1, visitor, false],
    ["nobody trusts, the control: nothing is believed", 0, MADE_UP_CLIENT.address, false],
  ])("that %s: tells whether visitors may choose their address", async (_, proxies, chain, madeUp) => {
    site.behind(proxies);
    const headers = { "sec-fetch-site": "same-origin", [MADE_UP_CLIENT.name]: chain };
    const cookie = (await tries(headers)).headers.get("set-cookie")?.split(";")[0] ?? "";
    await site.app.request(OPERATOR_ROUTES.overview, { headers: { cookie, ...headers } });
    expect(site.operator.madeUp).toBe(madeUp);
  });

  it("nobody who is not signed in can raise the alert", async () => {
    site.behind(1);
    await site.app.request(OPERATOR_ROUTES.overview, {
      headers: { "sec-fetch-site": "same-origin", [MADE_UP_CLIENT.name]: MADE_UP_CLIENT.address },
    });
    expect(site.operator.madeUp).toBeUndefined();
  });

  it("that rewrites Host, names the missing headers to an old browser, which keeps its link", async () => {
    site.behind(1);
    const response = await tries({});
    expect(response.status).toBe(403);
    const { error } = await response.json();
    expect(error.code).toBe("foreign-origin");
    expect(error.message).toMatch(
      /https:\/\/train\.example.*127\.0\.0\.1:8080.*X-Forwarded-Host.*--trust-proxy/,
    );
    expect((await tries({ "x-forwarded-host": "train.example" })).status).toBe(200);
  });

  it("believes no header where the operator named no proxy", async () => {
    site.behind(0);
    expect((await tries({ "x-forwarded-host": "train.example" })).status).toBe(403);
    expect((await tries({ forwarded: "host=train.example" })).status).toBe(403);
  });

  it("lets no other site's page in, whatever the proxy says", async () => {
    site.behind(1);
    const told = { "x-forwarded-host": "train.example", "x-forwarded-proto": "https" };
    for (const site of ["cross-site", "same-site"])
      expect((await tries({ ...told, "sec-fetch-site": site })).status).toBe(403);
    expect((await tries({ ...told, origin: "https://evil.example" })).status).toBe(403);
    expect((await tries({ ...told, origin: "null" })).status).toBe(403);
  });

  it("lets a page in that rebound its name to this server, but not without the operator's cookie", async () => {
    const rebound = {
      host: "evil.example",
      origin: "http://evil.example",
      "sec-fetch-site": "same-origin",
    };
    const act = (headers: Record<string, string>) =>
      site.post(OPERATOR_ROUTES.act, { action: "pause" }, headers);
    const cookie = await site.signIn(); // which the browser keeps for localhost, and sends to no other name
    expect((await act(rebound)).status).toBe(401);
    expect((await act({ ...rebound, cookie })).status).toBe(200); // the control: it is the cookie that holds
  });

  it("limits tries by the client's address, whatever port the proxy adds", async () => {
    site.behind(1);
    const statuses = [];
    for (let i = 0; i < 12; i++) {
      const headers = {
        ...PAGE,
        "sec-fetch-site": "same-origin",
        "x-forwarded-for": `203.0.113.9:${5_000 + i}`,
      };
      statuses.push((await site.post(OPERATOR_ROUTES.signIn, { link: `no${i}` }, headers)).status);
    }
    expect(statuses.slice(10)).toEqual([429, 429]);
    const elsewhere = { "sec-fetch-site": "same-origin", "x-forwarded-for": "203.0.113.10:5000" };
    expect((await tries(elsewhere)).status).toBe(200);
  });
});
