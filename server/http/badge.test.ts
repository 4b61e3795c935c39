import { describe, expect, it } from "vitest";
import { createIdentity } from "../../protocol/identity.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { SITE_HEADER } from "../../protocol/site.ts";
import { edge, signedPost } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { badge } from "./badge.ts";

const tokensOf = (origin: string) => (origin === "https://blog.example" ? 1_234_567 : undefined);
const ask = (query: string) => edge(new FakeService(), { tokensOf }).request(`/badge.svg${query}`);

describe("the badge", () => {
  it("shows what came by way of a site, kept for a while, on that site's own page", async () => {
    const answer = await ask("?site=https%3A%2F%2Fblog.example");
    expect(await answer.text()).toContain("1.23M tokens");
    expect(answer.headers.get("content-type")).toBe("image/svg+xml");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  });

  it("shows the whole run's where no site is named", async () => {
    expect(await (await ask("")).text()).toContain("trained in browsers");
  });

  it.each(["?site=https://evil.example", "?site=", "?site=<script>", `?site=${"x".repeat(5_000)}`])(
    "is not there for %s",
    async (query) => {
      const answer = await ask(query);
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    },
  );

  it("lets no text become markup, and is as wide as its text", () => {
    const evil = badge('"><script>&', "1");
    expect(evil).not.toMatch(/<script|""/);
    expect(evil).toContain("&quot;&gt;&lt;script&gt;&amp;");
    const width = (svg: string) => Number(/width="(\d+)"/.exec(svg)?.[1]);
    expect(width(badge("a", "1234567890"))).toBeGreaterThan(width(badge("a", "1")) + 40);
  });
});

it("a signed request's site is heard, as it was sent", async () => {
  const heard: unknown[] = [];
  const app = edge(new FakeService(), { asked: (_, __, site) => heard.push(site) });
  const request = await signedPost(await createIdentity(), ROUTES.tickets, new TextEncoder().encode("{}"));
  await app.request(ROUTES.tickets, request);
  const headers = { ...request.headers, [SITE_HEADER]: "https://blog.example" };
  await app.request(ROUTES.tickets, { ...request, headers });
  expect(heard).toEqual([undefined, "https://blog.example"]);
});

it("the loader may be read by any site, for a tag that pins it; nothing else may", async () => {
  const app = edge(new FakeService());
  const allowed = async (path: string) =>
    (await app.request(path)).headers.get("access-control-allow-origin");
  expect(await allowed("/embed.js")).toBe("*");
  for (const path of ["/", "/frame", ROUTES.run, ROUTES.manifest, "/assets/page-abc123.js"]) {
    expect(await allowed(path), path).toBeNull();
  }
});
