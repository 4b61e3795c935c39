import { inflateSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { PersonId } from "../../protocol/ids.ts";
import { parsePerson, personPage } from "../../protocol/person.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge, PAGES, signedPost } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { Assets, makeAsset } from "./assets.ts";
import { drawable } from "./glyphs.ts";
import { shareCard } from "./share-card.ts";

const HTML = utf8("<!doctype html><html><head><title>A volunteer</title></head><body></body></html>");
const assets = new Assets([
  ...PAGES.paths.flatMap((path) => PAGES.find(path) ?? []),
  makeAsset("/person", "text/html; charset=utf-8", HTML),
]);

let service: FakeService;
beforeEach(() => {
  service = new FakeService();
});

async function given(page: boolean | undefined, app = edge(service, { assets })) {
  const me = await createIdentity();
  const body = utf8(JSON.stringify({ name: "Ann", ...(page !== undefined && { page }) }));
  const answer = await app.request(ROUTES.myName, await signedPost(me, ROUTES.myName, body));
  return { app, page: (await answer.json()).page as PersonId | null };
}

describe("a person's page", () => {
  it("U7: is there only for who asked for one, under an id that nobody can guess", async () => {
    const { app, page: none } = await given(undefined);
    expect(none).toBeNull();
    expect((await given(false, app)).page).toBeNull();
    expect((await app.request(ROUTES.person("A".repeat(22) as PersonId))).status).toBe(404);
    const { page } = await given(true, app);
    expect(page).toMatch(/^[\w-]{22}$/);
    const answer = await app.request(ROUTES.person(page!));
    expect(parsePerson(await answer.json())).toMatchObject({ name: "Ann <b>", tokens: 1_234_567 });
    for (const path of ["/api/people/x", "/api/people/..", `/api/people/${"A".repeat(22)}/card.png`]) {
      expect((await app.request(path)).status).toBe(404);
    }
    await given(false, app);
    expect((await app.request(ROUTES.person(page!))).status).toBe(404);
  });

  it("A12, U7: tells social networks of it by an absolute address, with the name as text", async () => {
    const place = { path: "/r/whales" };
    const app = edge(service, { assets, proxies: 1, basePath: "/train", place });
    service.page = "B".repeat(22) as PersonId;
    const answer = await app.request(personPage(service.page), {
      headers: {
        "x-forwarded-host": "host.example",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "192.0.2.1",
      },
    });
    const html = await answer.text();
    expect(html).toContain('property="og:title" content="Ann &lt;b&gt;"');
    const at = "https://host.example/train/r/whales";
    expect(html).toContain(`property="og:url" content="${at}${personPage(service.page)}"`);
    expect(html).toContain(`property="og:image" content="${at}${ROUTES.personCard(service.page)}"`);
    expect(html).not.toContain("<b>");
    expect(answer.headers.get("content-security-policy")).toContain("script-src 'self'");
    const unknown = await app.request(personPage("C".repeat(22) as PersonId));
    expect([unknown.status, (await unknown.text()).includes("og:")]).toEqual([200, false]);
  });

  it("U7: draws a card, as PNG that other sites may show", async () => {
    const app = edge(service, { assets });
    service.page = "B".repeat(22) as PersonId;
    const card = await app.request(ROUTES.personCard(service.page));
    expect(card.headers.get("content-type")).toBe("image/png");
    expect(card.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    const bytes = Buffer.from(await card.arrayBuffer());
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1_200, 630]);
    expect(bytes.length).toBeLessThan(100_000);
    const head = await app.request(ROUTES.personCard(service.page), { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(bytes.length)]);
  });
});

describe("a share card", () => {
  /** The numbers of a card's pixels. */
  const pixelsOf = (card: Uint8Array) => {
    const bytes = Buffer.from(card);
    const at = bytes.indexOf("IDAT");
    return inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  };
  const inkOf = (name: string) =>
    pixelsOf(shareCard({ name, tokens: "1.23M", run: "Whales" })).filter((pixel) => pixel === 200).length;

  it("has the name in dots, where we have letters for it, and leaves out what we have none for", () => {
    expect(inkOf("Zoë’s 2")).toBeGreaterThan(1_000);
    expect(drawable("Zoë’s 2")).toBe("ZOE'S 2");
    expect([inkOf("鳥"), inkOf("Ann 鳥")]).toEqual([0, 0]);
    expect(inkOf("W".repeat(32)), "as long as names are").toBeGreaterThan(1_000);
  });
});
