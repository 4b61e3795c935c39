import { beforeEach, describe, expect, it } from "vitest";
import { type ChunkList, signChunks } from "../../protocol/chunks.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { type ObjectName, shardName, snapshotName } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { MANIFEST, RUN } from "../../test/fake-service.ts";
import { httpApi } from "../transport/http.ts";
import { PeerBridge, type ToPage, type ToWorker } from "./bridge.ts";
import { sharedApi } from "./shared-api.ts";

const BYTES = new Uint8Array(300_000).map((_, i) => i % 256);
let server: Identity;
let list: ChunkList;
let manifest: Manifest;
let direct: number;
/** What the page answers. */
let answer: (message: ToPage & { type: "bring" }, say: (message: ToWorker) => void) => void;

beforeEach(async () => {
  server = await createIdentity();
  const name = await signChunks(
    server.privateKey,
    { run: RUN, object: shardName("a".repeat(64) as never) },
    BYTES,
  );
  list = await signChunks(server.privateKey, { run: RUN, object: shardName(name.hash) }, BYTES);
  manifest = { ...MANIFEST, server: server.key, parameters: 200_000, peers: { ice: [] } };
  direct = 0;
  answer = ({ id }, say) => say({ type: "brought", id, list, bytes: BYTES.slice() });
});

async function apiWith(told: Manifest) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.type === "bring") answer(data, (message) => port1.postMessage(message));
  };
  const bridge = new PeerBridge(port2, () => undefined);
  const direct_ = httpApi({
    server: "http://here",
    fetch: async (url) => {
      if (String(url).endsWith("/manifest")) return Response.json(told);
      direct++;
      return new Response(BYTES.slice());
    },
  });
  const api = sharedApi(direct_, async () => bridge);
  await api.manifest();
  return { api, end: () => [bridge.close(), port1.close()] };
}
const bring = async (told = manifest) => {
  const { api, end } = await apiWith(told);
  const bytes = await api.shard(list.hash);
  end();
  expect(Buffer.compare(bytes, BYTES)).toBe(0);
  return direct;
};

describe("K2: the Worker trusts the page no more than a peer", () => {
  it("takes what is right, and does not ask the server", async () => {
    expect(await bring()).toBe(0);
  });

  it.each<[string, (list: ChunkList) => Promise<{ list: ChunkList; bytes: Uint8Array<ArrayBuffer> }>]>([
    ["a flipped bit", async (right) => ({ list: right, bytes: BYTES.with(7, 1) })],
    ["cut short", async (right) => ({ list: right, bytes: BYTES.slice(0, -1) })],
    [
      "a list that another signed",
      async () => {
        const other = await createIdentity();
        return {
          list: await signChunks(other.privateKey, { run: RUN, object: list.object }, BYTES),
          bytes: BYTES.slice(),
        };
      },
    ],
    [
      "another object",
      async () => {
        const object: ObjectName = snapshotName(list.hash);
        return {
          list: await signChunks(server.privateKey, { run: RUN, object }, BYTES),
          bytes: BYTES.slice(),
        };
      },
    ],
  ])("asks the server instead of taking %s", async (_, make) => {
    const wrong = await make(list);
    answer = ({ id }, say) => say({ type: "brought", id, ...wrong });
    expect(await bring()).toBe(1);
  });

  it("asks the server when the page has no way, or the run does without peers", async () => {
    answer = ({ id }, say) => say({ type: "failed", id });
    expect(await bring()).toBe(1);
    answer = () => {
      throw new Error("nobody should ask");
    };
    const { peers: _, ...without } = manifest;
    expect(await bring(without)).toBe(2);
  });
});
