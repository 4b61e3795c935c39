import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { signLink } from "../../protocol/link.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { drawNonce, edge, RECIPIENT, signedPost } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { DATA_RATE } from "../net/limits.ts";

let service: FakeService;
let app: ReturnType<typeof edge>;
let me: Identity;
beforeEach(async () => {
  service = new FakeService();
  app = edge(service);
  me = await createIdentity();
});

const post = async (path: string, body: unknown, who = me) =>
  app.request(path, await signedPost(who, path, utf8(JSON.stringify(body))));

describe("what one asks about oneself", () => {
  it("names, tells and forgets the key that signed, whatever the body says", async () => {
    const other = await createIdentity();
    const named = await post(ROUTES.myName, { name: "Ann", volunteer: other.key });
    expect([named.status, await named.json()]).toEqual([200, { name: "Ann", page: null }]);
    expect(service.renamed).toEqual([[me.key, "Ann"]]);
    expect(await (await post(ROUTES.myName, { name: null })).json()).toEqual({ name: null, page: null });
    const told = await post(ROUTES.myData, { volunteer: other.key });
    expect(await told.json()).toMatchObject({ data: { volunteer: me.key } });
    expect(told.headers.get("cache-control")).toBe("no-store");
    expect(await (await post(ROUTES.forgetMe, {})).json()).toEqual({ forgotten: true });
    expect(service.forgotten).toEqual([me.key]);
  });

  it("U3: reads all that is held about a key to it now and then, and not without end; the control asks for little", async () => {
    const statuses = async (path: string) => {
      const found = new Set<number>();
      for (let i = 0; i <= DATA_RATE.burst; i++) found.add((await post(path, {})).status);
      return [...found];
    };
    expect(await statuses(ROUTES.myData)).toEqual([200, 429]);
    expect(await statuses(ROUTES.forgetMe)).toEqual([200]);
  });

  it.each([ROUTES.myName, ROUTES.myData, ROUTES.forgetMe])(
    "%s does nothing without a signature, nor twice with one",
    async (path) => {
      const signed = await signedPost(me, path, utf8("{}"));
      const bare = await app.request(path, { method: "POST", body: "{}" });
      expect(bare.status).toBeGreaterThanOrEqual(400);
      const moved = await app.request(path, await signedPost(me, ROUTES.tickets, utf8("{}")));
      expect(moved.status).toBe(401);
      expect((await app.request(path)).status).toBe(405); // reading is no way in either
      expect((await app.request(path, signed)).status).toBe(200);
      expect((await app.request(path, signed)).status).toBe(409);
      expect(service.forgotten.length + service.renamed.length).toBeLessThanOrEqual(1);
    },
  );

  it("A34, U5: links with another key only what that key has signed for this very request", async () => {
    const other = await createIdentity();
    const linking = async (by: Identity, made = drawNonce(), sent = made) => {
      const link = { ...(await signLink(by, me.key, made, RECIPIENT)), with: other.key };
      const body = utf8(JSON.stringify(link));
      return app.request(ROUTES.myLink, await signedPost(me, ROUTES.myLink, body, sent));
    };
    const taken = await linking(other);
    expect([taken.status, await taken.json()]).toEqual([200, { linked: 1, tokens: 2, recent: 1, merged: 2 }]);
    expect(service.links).toEqual([[me.key, other.key]]);
    const [forged, replayed] = [await linking(me), await linking(other, drawNonce(), drawNonce())];
    expect([forged.status, replayed.status]).toEqual([401, 401]);
    expect(service.links).toHaveLength(1);
    // What a link without that check would give is in server/run/links.test.ts.
    expect((await post(ROUTES.myLink, { with: null })).status).toBe(200);
    expect(service.links.at(-1)).toEqual([me.key, null]);
  });

  it("U6: passes notes between two pages, each under its own key, and refuses what is malformed", async () => {
    const box = drawNonce();
    const other = await createIdentity();
    const knock = async (who: Identity) => post(ROUTES.myCode, { box, knock: "k" }, who);
    expect((await knock(other)).status).toBe(404);
    expect((await post(ROUTES.myCode, { box, open: true })).status).toBe(200);
    expect((await knock(other)).status).toBe(200);
    const used = await knock(await createIdentity());
    expect([used.status, (await used.json()).error.code]).toEqual([409, "code-used"]);
    expect(await (await post(ROUTES.myCode, { box, open: true })).json()).toMatchObject({ knock: "k" });
    for (const wrong of [{}, { box }, { box: "x", open: true }, { box, knock: "<b>" }, { box, hand: 7 }]) {
      const refused = await post(ROUTES.myCode, wrong);
      expect([refused.status, (await refused.json()).error.code]).toEqual([400, "bad-request"]);
    }
    expect((await post(ROUTES.myCode, { box, knock: "k".repeat(600) })).status).toBe(400);
    expect((await post(ROUTES.myCode, { box, knock: "k".repeat(2_000) })).status).toBe(413);
  });

  it("U8: joins and leaves a team for the key that signed, and shows teams to anyone", async () => {
    const joined = await (await post(ROUTES.myTeam, { team: "Starlings" })).json();
    expect(joined.team).toMatchObject({ name: "Starlings", id: expect.stringMatching(/^[\w-]{22}$/) });
    expect(await (await post(ROUTES.myTeam, { team: null })).json()).toEqual({ team: null });
    expect((await app.request(ROUTES.myTeam, { method: "POST", body: "{}" })).status).toBe(426);
    expect(await (await app.request(ROUTES.teams)).json()).toEqual({ teams: [] });
    for (const id of ["x", "A".repeat(22)]) expect((await app.request(`/api/teams/${id}`)).status).toBe(404);
  });

  it("lists leaders for anyone, without their keys", async () => {
    const response = await app.request(ROUTES.leaders);
    expect(await response.json()).toEqual({ leaders: [{ name: "Starling", tokens: 3, recent: 1 }] });
  });
});
