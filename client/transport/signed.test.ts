import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { verifyRequest } from "../../protocol/request.ts";
import { KEY, MANIFEST } from "../../test/fake-service.ts";
import { against } from "../../test/harness/answered-api.ts";
import { WrongBytes } from "./away.ts";
import { httpApi } from "./http.ts";

const nonces = ["A", "B", "C"].map((letter) => `${letter.repeat(21)}A`);
const ids = {
  id: "A".repeat(22) as TicketId,
  nonce: "murmuration-nonce",
  serverNonce: "murmuration-server-nonce",
};

/** A server that takes what is signed for its newest nonce, and draws a new one where a test says so. */
async function server() {
  const identity = await createIdentity();
  const state = { now: 0 };
  const { api, requests } = against(async (request) => {
    const told = { headers: { [ids.serverNonce]: nonces[state.now]! } };
    const path = new URL(request.url).pathname;
    if (path === "/api/manifest") return Response.json({ ...MANIFEST, server: KEY }, told);
    const header = (name: string) => request.headers.get(name) ?? undefined;
    const body = new Uint8Array(await request.arrayBuffer());
    const { volunteer } = await verifyRequest(header, { method: "POST", path, body }, KEY);
    expect(volunteer).toBe(identity.key);
    const late = header(ids.serverNonce) !== nonces[state.now];
    const refusal = new ProtocolError(late ? "server-nonce-expired" : "no-work", "");
    return Response.json(refusal.body(), { status: refusal.status, ...told });
  });
  return { api, requests, identity, state };
}
const paths = (requests: readonly Request[]) => requests.map(({ url }) => new URL(url).pathname);

test("posts are signed by the volunteer for this run and server, a ticket request with a new nonce each time", async () => {
  const { api, requests, identity } = await server();
  await expect(api.ticket(identity, {})).rejects.toMatchObject({ code: "no-work" });
  await expect(api.ticket(identity, {})).rejects.toMatchObject({ code: "no-work" });
  await expect(api.upload(identity, ids.id, utf8("body"))).rejects.toMatchObject({ code: "no-work" });
  expect(paths(requests)).toEqual(["/api/manifest", "/api/tickets", "/api/tickets", "/api/deltas"]);
  const [first, second, upload] = requests.slice(1).map(({ headers }) => headers.get(ids.nonce));
  expect(first).not.toBe(second);
  expect(upload).toBe(ids.id);
  expect(requests[1]!.headers.get("murmuration-origin")).toBe("http://run.test");
  expect(requests[1]!.headers.get("murmuration-run")).toBe(MANIFEST.run);
});

test("S3: posts are signed once more where the server's nonce is over, as after its restart", async () => {
  const { api, requests, identity, state } = await server();
  await expect(api.ticket(identity, {})).rejects.toMatchObject({ code: "no-work" });
  state.now = 1;
  await expect(api.upload(identity, ids.id, utf8("body"))).rejects.toMatchObject({ code: "no-work" });
  expect(requests.map(({ headers }) => headers.get(ids.serverNonce))).toEqual([
    null,
    nonces[0],
    nonces[0],
    nonces[1],
  ]);
  await expect(api.ticket(identity, {})).rejects.toMatchObject({ code: "no-work" });
  expect(requests).toHaveLength(5); // the nonce is known now
});

test("S3: posts wait and come back where it is over again, and where none comes at all", async () => {
  const { api: late, requests, identity } = await server();
  const { api: without } = against(() => Response.json(MANIFEST));
  await expect(without.ticket(identity, {})).rejects.toThrow(WrongBytes);
  const api = httpApi({
    server: "http://run.test",
    fetch: async (url) =>
      String(url).endsWith("manifest")
        ? Response.json(MANIFEST, { headers: { [ids.serverNonce]: nonces[0]! } })
        : Response.json(new ProtocolError("server-nonce-expired", "").body(), { status: 401 }),
  });
  await expect(api.ticket(identity, {})).rejects.toMatchObject({ code: "server-nonce-expired" });
  await expect(late.manifest()).resolves.toMatchObject({ run: MANIFEST.run }); // the control
  expect(requests).toHaveLength(1);
});
