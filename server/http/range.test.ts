import { beforeEach, describe, expect, it } from "vitest";
import { shardName, snapshotName } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService, HASH, SHARD } from "../../test/fake-service.ts";

/** The fake shard's bytes are 6, 7, 8, 9. */
const PATH = ROUTES.shard(SHARD);
let sent: [string, number][];
let app: ReturnType<typeof edge>;
beforeEach(() => {
  sent = [];
  app = edge(new FakeService(), { sent: (kind, bytes) => sent.push([kind, bytes]) });
});

const get = (range?: string, more: Record<string, string> = {}) =>
  app.request(PATH, { headers: { ...(range && { range }), ...more } });
const bytesOf = async (response: Response) => [...new Uint8Array(await response.arrayBuffer())];

describe("K3: any range of an object", () => {
  it.each([
    ["bytes=0-1", [6, 7], "bytes 0-1/4"],
    ["bytes=2-2", [8], "bytes 2-2/4"],
    ["bytes=1-", [7, 8, 9], "bytes 1-3/4"],
    ["bytes=3-99", [9], "bytes 3-3/4"],
    ["bytes=-3", [7, 8, 9], "bytes 1-3/4"],
    ["bytes=-99", [6, 7, 8, 9], "bytes 0-3/4"],
  ])("%s is 206", async (range, bytes, contentRange) => {
    const response = await get(range);
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(response.headers.get("etag")).toBe(`"${SHARD}"`);
    expect(await bytesOf(response)).toEqual(bytes);
    expect(sent).toEqual([["shards", bytes.length]]);
  });

  it.each(["bytes=4-", "bytes=9-12", "bytes=2-1", "bytes=-0"])(
    "%s is 416, and sends nothing",
    async (range) => {
      const response = await get(range);
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe("bytes */4");
      expect((await response.json()).error.code).toBe("bad-range");
      expect(sent).toEqual([]);
    },
  );

  it.each([undefined, "bytes=0-0,2-2", "bytes=a-b", "lines=0-1", "bytes=-"])(
    "%s is the whole",
    async (range) => {
      const response = await get(range);
      expect(response.status).toBe(200);
      expect(response.headers.get("accept-ranges")).toBe("bytes");
      expect(await bytesOf(response)).toEqual([6, 7, 8, 9]);
      expect(sent).toEqual([["shards", 4]]);
    },
  );

  it("of bytes that have changed since is the whole", async () => {
    expect((await get("bytes=0-1", { "if-range": `"${SHARD}"` })).status).toBe(206); // the control
    expect((await get("bytes=0-1", { "if-range": '"other"' })).status).toBe(200);
  });

  it("works for snapshots and diffs too, and 304 sends nothing", async () => {
    for (const path of [ROUTES.snapshot(HASH), ROUTES.diff(2)]) {
      expect((await app.request(path, { headers: { range: "bytes=0-0" } })).status, path).toBe(206);
    }
    expect(sent).toEqual([
      ["snapshots", 1],
      ["diffs", 1],
    ]);
    expect((await get(undefined, { "if-none-match": `"${SHARD}"` })).status).toBe(304);
    expect(sent).toHaveLength(2);
  });
});

describe("K1: the chunk list's route", () => {
  it("answers for what is served, and is not found for anything else", async () => {
    const response = await app.request(ROUTES.chunks(shardName(SHARD)));
    expect(response.status).toBe(200);
    expect((await response.json()).chunks).toMatchObject({ object: shardName(SHARD), length: 4 });
    for (const path of [
      ROUTES.chunks(snapshotName(HASH)),
      "/api/chunks/shards/x",
      "/api/chunks/keys/1",
      "/api/chunks/diffs/01",
    ]) {
      expect((await app.request(path)).status, path).toBe(404);
    }
  });
});
