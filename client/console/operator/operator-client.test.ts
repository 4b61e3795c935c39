import { describe, expect, it, vi } from "vitest";
import { OPERATOR_ROUTES } from "../../../protocol/operator.ts";
import { PROTOCOL_HEADER } from "../../../protocol/version.ts";
import { askWith } from "../api-client.ts";
import { openOperator } from "./operator-client.ts";

const OURS = { [PROTOCOL_HEADER]: "1" };
const refusal = (code: string, status: number) =>
  Response.json({ error: { code, message: "why" } }, { status, headers: OURS });
const HTML = { headers: { "content-type": "text/html" } };

/** A client whose page was opened with a link, on a server that answers a sign-in so, and knows no session. */
async function opened(signIn: () => Response, overview = () => refusal("not-signed-in", 401)) {
  const asked: { url: string; body: unknown }[] = [];
  const client = openOperator({
    ask: askWith(async (url, init) => {
      const body = typeof init?.body === "string" ? JSON.parse(init.body) : undefined;
      asked.push({ url: String(url), body });
      return String(url).endsWith(OPERATOR_ROUTES.signIn) ? signIn() : overview();
    }),
    after: () => {},
    hash: "#link=the-link",
    path: "/train/",
    forgetHash: () => {},
    lookAtSetup: async () => {},
    reload: () => {},
  });
  await vi.waitFor(() => expect(client.access.value).not.toBe("loading"));
  return { client, asked };
}

describe("a link that does not sign in", () => {
  it.each([
    ["used", () => refusal("not-signed-in", 401), /was used before/],
    [
      "opened behind a proxy that rewrites Host",
      () => refusal("foreign-origin", 403),
      /X-Forwarded-Host.*was not used up/,
    ],
    ["tried too often", () => refusal("too-many-requests", 429), /Wait a minute/],
    [
      "held up by a firewall",
      () => new Response("blocked", { status: 403, ...HTML }),
      /answered 403.*forbids/,
    ],
    ["held up by a login page", () => new Response("log in", HTML), /answered 200: a web page.*log in/],
    ["met by a broken server", () => refusal("internal-error", 500), /did not accept the link: why/],
  ])("because it was %s says so", async (_, answer, line) => {
    const { client } = await opened(answer);
    expect(client.access.value).toBe("signed-out");
    expect(client.linkRefused.value).toMatch(line);
  });
});

describe("the operator's page", () => {
  it("signs in relative to itself, and says under which path it lies", async () => {
    const { asked } = await opened(() => Response.json({ name: "Ann" }, { headers: OURS }));
    expect(asked[0]).toEqual({ url: "./api/operator/sign-in", body: { link: "the-link", path: "/train/" } });
    expect(asked[1]?.url).toBe("./api/operator/overview");
  });

  it("says who answered in the server's place", async () => {
    const gateway = () => new Response("<h1>502 Bad Gateway</h1>", { status: 502, ...HTML });
    const { client } = await opened(gateway, gateway);
    expect(client.access.value).toBe("away");
    expect(client.why.value).toMatch(/answered 502: the proxy is there/);
    await client.act({ action: "pause" });
    expect(client.said.value).toMatch(/That did not work: .*answered 502/);
  });
});
