import { beforeEach, describe, expect, it } from "vitest";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { SETUP_ROUTES } from "../../protocol/setup.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { COOKIE, FakeOperator, FakeSetup, HOST, JSON_OWN, OperatorEdge } from "../../test/operator-edge.ts";
import { SESSION_MS } from "../operator/sessions.ts";
import { routesOf } from "./operator-routes.ts";
import { setupRoutesOf } from "./setup-routes.ts";

let site: OperatorEdge;
beforeEach(() => {
  site = new OperatorEdge();
});

const SIGN_OUT = { method: "POST", path: OPERATOR_ROUTES.signOut, most: undefined } as const;
const ROUTES = [SIGN_OUT, ...routesOf(new FakeOperator(), 0)];
const codeOf = async (response: Response): Promise<string> => (await response.json()).error.code;

const SETUP = setupRoutesOf(new FakeSetup());
const TABLE = [
  ...ROUTES.map(({ method, path, most }) => [method, path, "with a run", most] as const),
  ...SETUP.map(({ method, path, most }) => [method, path, "without one", most] as const),
];

describe("every operator route fails closed", () => {
  it("there are some", () => {
    expect(ROUTES.length).toBeGreaterThanOrEqual(6);
    expect(SETUP.length).toBeGreaterThanOrEqual(8);
  });

  describe.each(TABLE)("%s %s, on a server %s", (method, path, server, most) => {
    let operator: { reached: number };
    let OWN: Record<string, string>;
    beforeEach(() => {
      OWN = { ...JSON_OWN, ...(most !== undefined && { "content-type": "application/octet-stream" }) };
      const setup = new FakeSetup();
      operator = setup;
      if (server === "with a run") operator = site.operator;
      else site.withoutRun(setup);
    });
    const ask = (headers: Record<string, string>, to = path, body = '{"action":"pause"}') =>
      site.app.request(to, { method, headers, ...(method === "POST" && { body }) });

    it.each([
      ["none", {}],
      ["a wrong one", { cookie: `${COOKIE}=${"x".repeat(43)}` }],
      ["an empty one", { cookie: `${COOKIE}=` }],
      ["one under the other name", { cookie: `__Host-${COOKIE}=` }],
    ])("without a credential: %s", async (_, credential) => {
      const response = await ask({ ...OWN, ...credential });
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe("not-signed-in");
      expect(operator.reached).toBe(0);
    });

    it("A11: with an expired one", async () => {
      const cookie = await site.signIn();
      site.now = SESSION_MS;
      expect((await ask({ ...OWN, cookie })).status).toBe(401);
      expect(operator.reached).toBe(0);
    });

    it("A11: written in another way, signed in or not", async () => {
      const cookie = await site.signIn();
      const last = path.split("/").at(-1) ?? "";
      const ways = [
        `/${path}`,
        path.replace("/api/", "/api//"),
        path.replace("/api/", "/api/./"),
        path.replace("/api/", "/%61pi/"),
        path.replace(last, `%2e/${last}`),
        path.replace(last, `x/%2e%2e/${last}`),
        `${path}/`,
        `${path}%00`,
        path.toUpperCase(),
        path.replace("operator", "Operator"),
      ];
      for (const way of ways) {
        for (const headers of [OWN, { ...OWN, cookie }]) {
          const response = await ask(headers, `${HOST}${way}`);
          // site.app.request() normalises what a socket would have passed on as it was: those are the plain path.
          const plain = new URL(`${HOST}${way}`).pathname === path;
          if (plain && "cookie" in headers) continue;
          const page = response.headers.get("content-type")?.startsWith("text/html");
          if (page && server === "without one") continue; // no path of the API at all
          if (response.status === 503) expect(await codeOf(response), way).toBe("no-run");
          else expect([401, 404], way).toContain(response.status);
        }
      }
    });

    it("A11: by every other method", async () => {
      const cookie = await site.signIn();
      // A HEAD is a GET, and asks for the same session (A11's other tests).
      const others = [
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        ...(method === "GET" ? ["POST"] : ["GET", "HEAD"]),
      ];
      for (const other of others) {
        const body = other === "POST" ? { body: "{}" } : {};
        const response = await site.app.request(path, {
          method: other,
          headers: { ...OWN, cookie },
          ...body,
        });
        expect(response.status, other).toBe(404);
      }
      expect(operator.reached).toBe(0);
    });

    it("A11, O1: from another site's page, however it asks", async () => {
      const cookie = await site.signIn();
      const types = [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
      ];
      for (const type of [...types, ""]) {
        for (const origin of [
          "https://evil.example",
          "null",
          "http://localhost:81",
          "http://localhost.evil.example",
        ]) {
          const headers = { cookie, origin, ...(type && { "content-type": type }), [OPERATOR_HEADER]: "1" };
          const response = await ask(headers);
          expect(response.status, `${origin} ${type}`).toBe(403);
          expect(await codeOf(response)).toBe("foreign-origin");
        }
      }
      for (const site of ["cross-site", "same-site"]) {
        expect((await ask({ ...OWN, cookie, "sec-fetch-site": site })).status).toBe(403);
      }
      expect(operator.reached).toBe(0);
    });

    if (method === "POST") {
      it("as a form of ours could not send it: no header, no JSON, no Origin", async () => {
        const cookie = await site.signIn();
        for (const missing of ["origin", OPERATOR_HEADER, "content-type"]) {
          const headers: Record<string, string> = { ...OWN, cookie };
          delete headers[missing];
          expect((await ask(headers)).status, missing).toBe(403);
        }
        // The other routes' kind of body is no way round either.
        const other = most === undefined ? "application/octet-stream" : "application/json";
        for (const type of ["text/plain", other]) {
          expect((await ask({ ...OWN, cookie, "content-type": type })).status, type).toBe(403);
        }
        expect(operator.reached).toBe(0);
      });
    }
  });

  it("A11, O1: what is in no table is 401 to strangers and 404 to the operator", async () => {
    const cookie = await site.signIn();
    for (const path of [`${OPERATOR_ROUTES.all}/nothing`, `${OPERATOR_ROUTES.all}/overview/more`]) {
      expect((await site.app.request(path)).status).toBe(401);
      expect((await site.app.request(path, { headers: { cookie } })).status).toBe(404);
    }
  });

  it("O2: without a run there is the making of one, with a run there is not", async () => {
    const signedIn = async (path: string) =>
      site.app.request(path, { headers: { cookie: await site.signIn() } });
    expect((await signedIn(SETUP_ROUTES.state)).status).toBe(404);
    const setup = new FakeSetup();
    site.withoutRun(setup);
    expect(await codeOf(await signedIn(OPERATOR_ROUTES.overview))).toBe("no-run");
    expect(setup.reached).toBe(0);
    expect(await codeOf(await signedIn(SETUP_ROUTES.state))).toBe("no-work"); // the fake's own answer
  });

  it("A11: lets the operator's own page in: the control of all of the above", async () => {
    const cookie = await site.signIn();
    const own = { cookie, "sec-fetch-site": "same-origin" };
    expect(await codeOf(await site.app.request(OPERATOR_ROUTES.overview, { headers: own }))).toBe("no-work");
    expect((await site.post(OPERATOR_ROUTES.act, { action: "drain" }, own)).status).toBe(200);
    expect(site.operator.done).toEqual([{ action: "drain" }]);
  });

  it("refuses an action it does not know, and a body that is none", async () => {
    const cookie = await site.signIn();
    for (const body of [
      {},
      { action: "explode" },
      { action: "tune", changes: { quorum: "4" } },
      { action: "ban" },
    ]) {
      expect((await site.post(OPERATOR_ROUTES.act, body, { cookie })).status).toBe(400);
    }
    const long = { action: "pause", padding: "x".repeat(20_000) };
    expect((await site.post(OPERATOR_ROUTES.act, long, { cookie })).status).toBe(413);
    expect(site.operator.done).toEqual([]);
  });
});

describe("/metrics", () => {
  const metrics = { text: async () => "murmuration_version 1\n", token: "secret" };
  const ask = (address: string, headers: Record<string, string> = {}) => {
    const { app: served } = { app: edge(new FakeService(), { metrics, proxies: 1 }) };
    return served.request("/metrics", { headers: { "x-forwarded-for": address, ...headers } });
  };

  it("answers this machine, and who knows the token", async () => {
    expect(await (await ask("127.0.0.1")).text()).toBe("murmuration_version 1\n");
    expect((await ask("::1")).status).toBe(200);
    expect((await ask("203.0.113.5", { authorization: "Bearer secret" })).status).toBe(200);
  });

  it("is not there for anybody else", async () => {
    expect((await ask("203.0.113.5")).status).toBe(404);
    expect((await ask("203.0.113.5", { authorization: "Bearer wrong" })).status).toBe(404);
    expect((await ask("127.0.0.1.evil.example")).status).toBe(404);
  });
});
