import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { parseIntroduction } from "../../protocol/introduction.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { drawNonce, edge, signedPost } from "../../test/edge.ts";
import { FakeService, HASH } from "../../test/fake-service.ts";
import { Introductions } from "../peers/introductions.ts";

const announcement = (changes: object = {}) => {
  const id = drawNonce() as string as PeerId;
  return { id, token: drawNonce(), holds: [], latest: false, wrong: [], ...changes };
};
const post = async (app: ReturnType<typeof edge>, value: object) =>
  app.request(
    ROUTES.peers,
    await signedPost(await createIdentity(), ROUTES.peers, utf8(JSON.stringify(value))),
  );

let app: ReturnType<typeof edge>;
beforeEach(() => {
  app = edge(new FakeService(), { peers: new Introductions(() => 0, Math.random) });
});

describe("K5: POST /api/peers", () => {
  it("introduces who seeks an object to who has it, the newest snapshot's followers among them", async () => {
    const [holder, follower] = [announcement({ holds: [HASH] }), announcement({ latest: true })];
    for (const one of [holder, follower]) expect((await post(app, one)).status).toBe(200);
    const answer = parseIntroduction(await (await post(app, announcement({ wants: HASH }))).json());
    expect(new Set(answer.peers)).toEqual(new Set([holder.id, follower.id]));
    expect(answer).toMatchObject({ swarm: 3, holders: 2 });
  });

  it("is signed, and read with care", async () => {
    const bare = await app.request(ROUTES.peers, { method: "POST", body: JSON.stringify(announcement()) });
    expect(bare.status).toBeGreaterThanOrEqual(400);
    for (const wrong of [
      { id: "short" },
      { holds: ["x"] },
      { holds: Array(65).fill(HASH) },
      { latest: 1 },
      { wants: 7 },
    ]) {
      expect((await post(app, announcement(wrong))).status, JSON.stringify(wrong)).toBe(400);
    }
  });

  it("is not there where the run does without", async () => {
    expect((await post(edge(new FakeService()), announcement())).status).toBe(404);
  });
});
