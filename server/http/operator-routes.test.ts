import { beforeEach, describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import {
  MADE_UP_CLIENT,
  OPERATOR_HEADER,
  OPERATOR_ROUTES,
  type OperatorAction,
} from "../../protocol/operator.ts";
import { SETUP_ROUTES } from "../../protocol/setup.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { MAX_OPERATOR_BODIES, MAX_SIGN_INS, NETWORK_SHARE } from "../net/limits.ts";
import type { OperatorPort } from "../operator/ports.ts";
import { SESSION_MS } from "../operator/sessions.ts";
import type { SetupPort } from "../setup/ports.ts";
import { routesOf } from "./operator-routes.ts";
import { setupRoutesOf } from "./setup-routes.ts";

/** An operator port that records what reached it. */
class FakeOperator implements OperatorPort {
  readonly done: OperatorAction[] = [];
  reached = 0;
  link: string | undefined = "the-link";

  async redeem(link: string) {
    if (link !== this.link) return undefined;
    this.link = undefined;
    return "Ann";
  }
  madeUp: boolean | undefined;
  async overview(madeUp?: boolean): Promise<never> {
    this.madeUp = madeUp;
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
  async act(action: OperatorAction) {
    this.reached++;
    this.done.push(action);
  }
  model(): never {
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
}

/** The setup port of a server without a run; it counts what reaches it. */
class FakeSetup implements SetupPort {
  reached = 0;
  #no(): never {
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
  redeem = async () => "Ann";
  state = async () => this.#no();
  begin = async () => this.#no();
  append = async () => this.#no();
  finish = async () => this.#no();
  discard = async () => this.#no();
  estimate = () => this.#no();
  createRun = async () => this.#no();
}

const HOST = "http://localhost";
const JSON_OWN = { origin: HOST, "content-type": "application/json", [OPERATOR_HEADER]: "1" };
const COOKIE = "murmuration-operator";

let fakeOperator: FakeOperator;
let now: number;
let app: ReturnType<typeof edge>;
beforeEach(() => {
  fakeOperator = new FakeOperator();
  now = 0;
  app = edge(new FakeService(), { operator: fakeOperator, now: () => now });
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(path, { method: "POST", body: JSON.stringify(body), headers: { ...JSON_OWN, ...headers } });

async function signIn(): Promise<string> {
  const response = await post(OPERATOR_ROUTES.signIn, { link: "the-link" });
  expect(response.status).toBe(200);
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

const SIGN_OUT = { method: "POST", path: OPERATOR_ROUTES.signOut, most: undefined } as const;
const ROUTES = [SIGN_OUT, ...routesOf(new FakeOperator(), 0)];
const codeOf = async (response: Response): Promise<string> => (await response.json()).error.code;

describe("signing in", () => {
  it("takes a link once, and gives a cookie that no script and no other site gets at", async () => {
    const response = await post(OPERATOR_ROUTES.signIn, { link: "the-link" });
    expect(await response.json()).toEqual({ name: "Ann" });
    expect(response.headers.get("set-cookie")).toMatch(
      /^murmuration-operator=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const again = await post(OPERATOR_ROUTES.signIn, { link: "the-link" });
    expect(again.status).toBe(401);
    expect(again.headers.get("set-cookie")).toBeNull();
  });

  it("marks the cookie Secure where the browser came by HTTPS", async () => {
    app = edge(new FakeService(), { operator: fakeOperator, now: () => now, proxies: 1 });
    const headers = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": "train.example",
      origin: "https://train.example",
    };
    const response = await post(OPERATOR_ROUTES.signIn, { link: "the-link" }, headers);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-murmuration-operator=.*; Secure$/);
  });

  describe("behind a reverse proxy", () => {
    const PAGE = { origin: "https://train.example" };
    const behind = (proxies: number) => {
      app = edge(new FakeService(), { operator: fakeOperator, now: () => now, proxies });
    };
    const tries = (headers: Record<string, string>) =>
      post(OPERATOR_ROUTES.signIn, { link: "the-link" }, { ...PAGE, host: "127.0.0.1:8080", ...headers });

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
      behind(1);
      const response = await tries(headers);
      expect(response.status).toBe(200);
      const cookie = response.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(/^__Host-murmuration-operator=.*; Path=\/; .*; Secure$/);
      const own = { cookie: cookie.split(";")[0] ?? "", ...PAGE, ...headers };
      expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(200);
    });

    const visitor = "203.0.113.9";
    it.each<[string, number, string, boolean]>([
      ["passes on what the browser sent", 1, MADE_UP_CLIENT.address, true],
      ["appends where two should", 2, `${MADE_UP_CLIENT.address}, ${visitor}`, true],
      ["appends", 1, `${MADE_UP_CLIENT.address}, ${visitor}`, false],
      ["writes its own", 1, visitor, false],
      ["nobody trusts, the control: nothing is believed", 0, MADE_UP_CLIENT.address, false],
    ])("that %s: tells whether visitors may choose their address", async (_, proxies, chain, madeUp) => {
      behind(proxies);
      const headers = { "sec-fetch-site": "same-origin", [MADE_UP_CLIENT.name]: chain };
      const cookie = (await tries(headers)).headers.get("set-cookie")?.split(";")[0] ?? "";
      await app.request(OPERATOR_ROUTES.overview, { headers: { cookie, ...headers } });
      expect(fakeOperator.madeUp).toBe(madeUp);
    });

    it("nobody who is not signed in can raise the alert", async () => {
      behind(1);
      await app.request(OPERATOR_ROUTES.overview, {
        headers: { "sec-fetch-site": "same-origin", [MADE_UP_CLIENT.name]: MADE_UP_CLIENT.address },
      });
      expect(fakeOperator.madeUp).toBeUndefined();
    });

    it("that rewrites Host, names the missing headers to an old browser, which keeps its link", async () => {
      behind(1);
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
      behind(0);
      expect((await tries({ "x-forwarded-host": "train.example" })).status).toBe(403);
      expect((await tries({ forwarded: "host=train.example" })).status).toBe(403);
    });

    it("lets no other site's page in, whatever the proxy says", async () => {
      behind(1);
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
        post(OPERATOR_ROUTES.act, { action: "pause" }, headers);
      const cookie = await signIn(); // which the browser keeps for localhost, and sends to no other name
      expect((await act(rebound)).status).toBe(401);
      expect((await act({ ...rebound, cookie })).status).toBe(200); // the control: it is the cookie that holds
    });

    it("limits tries by the client's address, whatever port the proxy adds", async () => {
      behind(1);
      const statuses = [];
      for (let i = 0; i < 12; i++) {
        const headers = {
          ...PAGE,
          "sec-fetch-site": "same-origin",
          "x-forwarded-for": `203.0.113.9:${5_000 + i}`,
        };
        statuses.push((await post(OPERATOR_ROUTES.signIn, { link: `no${i}` }, headers)).status);
      }
      expect(statuses.slice(10)).toEqual([429, 429]);
      const elsewhere = { "sec-fetch-site": "same-origin", "x-forwarded-for": "203.0.113.10:5000" };
      expect((await tries(elsewhere)).status).toBe(200);
    });
  });

  it("keeps the cookie under the path of the page, and takes it away there", async () => {
    const headers = { origin: "https://localhost" };
    const response = await post(OPERATOR_ROUTES.signIn, { link: "the-link", path: "/train/" }, headers);
    const set = response.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^__Secure-murmuration-operator=[\w-]{43}; Path=\/train\/; .*; Secure$/);
    const cookie = set.split(";")[0] ?? "";
    const own = { ...headers, cookie: `__Secure-murmuration-operator=of-another-server; ${cookie}` };
    expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(200);
    const out = await post(OPERATOR_ROUTES.signOut, { path: "/train/" }, own);
    expect(out.headers.get("set-cookie")).toMatch(
      /^__Secure-murmuration-operator=; Path=\/train\/; Max-Age=0/,
    );
    expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, own)).status).toBe(401);
    for (const path of ["train/", "/train", "/a b/", "/;x/", "//", 7, `/${"x".repeat(200)}/`]) {
      expect((await post(OPERATOR_ROUTES.signIn, { link: "the-link", path })).status, String(path)).toBe(400);
    }
  });

  it("A11: is not tried for ever", async () => {
    const codes = [];
    for (let i = 0; i < 12; i++) codes.push((await post(OPERATOR_ROUTES.signIn, { link: `no${i}` })).status);
    expect(codes.slice(0, 10)).toEqual(new Array(10).fill(401));
    expect(codes.slice(10)).toEqual([429, 429]);
  });

  it("A37: is not kept from anyone by bodies that never end; the control: those of the signed-in have one room", async () => {
    const cookie = await signIn();
    const ending = new AbortController();
    /** Sends headers, and of the body nothing until the test is over. */
    const stall = (path: string, headers: Record<string, string>, remoteAddress: string) =>
      app.request(
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
    expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie })).status).toBe(200);
    fakeOperator.link = "the-link";
    expect(await signIn(), "from another network").toMatch(COOKIE);
    const own = Array.from({ length: MAX_OPERATOR_BODIES }, () =>
      stall(OPERATOR_ROUTES.act, { cookie }, "203.0.113.1"),
    );
    await new Promise(setImmediate);
    expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie })).status).toBe(429);
    ending.abort();
    const statuses = (await Promise.all(stalled)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(NETWORK_SHARE * MAX_SIGN_INS);
    expect(new Set((await Promise.all(own)).map(({ status }) => status))).toEqual(new Set([400]));
  });

  it("lasts until its time is over, or the operator signs out", async () => {
    const cookie = await signIn();
    const pause = () => post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie });
    expect((await pause()).status).toBe(200);
    now = SESSION_MS - 1;
    expect((await pause()).status).toBe(200);
    now = SESSION_MS;
    expect((await pause()).status).toBe(401);

    fakeOperator.link = "the-link";
    const other = await signIn();
    const out = await post(OPERATOR_ROUTES.signOut, {}, { cookie: other });
    expect(out.headers.get("set-cookie")).toMatch(/^murmuration-operator=; .*Max-Age=0/);
    expect((await post(OPERATOR_ROUTES.act, { action: "pause" }, { cookie: other })).status).toBe(401);
    expect(fakeOperator.done).toHaveLength(2);
  });
});

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
      if (server === "with a run") operator = fakeOperator;
      else app = edge(undefined, { setup, now: () => now });
    });
    const ask = (headers: Record<string, string>, to = path, body = '{"action":"pause"}') =>
      app.request(to, { method, headers, ...(method === "POST" && { body }) });

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
      const cookie = await signIn();
      now = SESSION_MS;
      expect((await ask({ ...OWN, cookie })).status).toBe(401);
      expect(operator.reached).toBe(0);
    });

    it("A11: written in another way, signed in or not", async () => {
      const cookie = await signIn();
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
          // app.request() normalises what a socket would have passed on as it was: those are the plain path.
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
      const cookie = await signIn();
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
        const response = await app.request(path, { method: other, headers: { ...OWN, cookie }, ...body });
        expect(response.status, other).toBe(404);
      }
      expect(operator.reached).toBe(0);
    });

    it("A11, O1: from another site's page, however it asks", async () => {
      const cookie = await signIn();
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
        const cookie = await signIn();
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
    const cookie = await signIn();
    for (const path of [`${OPERATOR_ROUTES.all}/nothing`, `${OPERATOR_ROUTES.all}/overview/more`]) {
      expect((await app.request(path)).status).toBe(401);
      expect((await app.request(path, { headers: { cookie } })).status).toBe(404);
    }
  });

  it("O2: without a run there is the making of one, with a run there is not", async () => {
    const signedIn = async (path: string) => app.request(path, { headers: { cookie: await signIn() } });
    expect((await signedIn(SETUP_ROUTES.state)).status).toBe(404);
    const setup = new FakeSetup();
    app = edge(undefined, { setup, now: () => now });
    expect(await codeOf(await signedIn(OPERATOR_ROUTES.overview))).toBe("no-run");
    expect(setup.reached).toBe(0);
    expect(await codeOf(await signedIn(SETUP_ROUTES.state))).toBe("no-work"); // the fake's own answer
  });

  it("A11: lets the operator's own page in: the control of all of the above", async () => {
    const cookie = await signIn();
    const own = { cookie, "sec-fetch-site": "same-origin" };
    expect(await codeOf(await app.request(OPERATOR_ROUTES.overview, { headers: own }))).toBe("no-work");
    expect((await post(OPERATOR_ROUTES.act, { action: "drain" }, own)).status).toBe(200);
    expect(fakeOperator.done).toEqual([{ action: "drain" }]);
  });

  it("refuses an action it does not know, and a body that is none", async () => {
    const cookie = await signIn();
    for (const body of [
      {},
      { action: "explode" },
      { action: "tune", changes: { quorum: "4" } },
      { action: "ban" },
    ]) {
      expect((await post(OPERATOR_ROUTES.act, body, { cookie })).status).toBe(400);
    }
    const long = { action: "pause", padding: "x".repeat(20_000) };
    expect((await post(OPERATOR_ROUTES.act, long, { cookie })).status).toBe(413);
    expect(fakeOperator.done).toEqual([]);
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
