import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdentity } from "../../protocol/identity.ts";
import { KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { PROTOCOL_HEADER } from "../../protocol/version.ts";
import { ADDRESSED, drawNonce, edge, signedPost } from "../../test/edge.ts";
import { FakeService, HASH, KEY, SHARD, ticketFor } from "../../test/fake-service.ts";

const me = await createIdentity();

describe("A5: a body that says it is compressed", () => {
  test("is not unpacked, whatever it would become; the control: the same bytes unpacked are taken", async () => {
    const service = new FakeService();
    const app = edge(service);
    const id = drawNonce();
    const plain = encodeUpload(
      ticketFor(me.key, id),
      { loss: 1, trainMs: 5, device: "test" },
      new Uint8Array(9),
    );
    const bombs = [gzipSync(plain), gzipSync(new Uint8Array(64 * 1024 * 1024))]; // 64 MiB in 64 KiB
    for (const bomb of bombs) {
      const init = await signedPost(me, ROUTES.deltas, new Uint8Array(bomb), id);
      const before = process.memoryUsage().arrayBuffers;
      const response = await app.request(ROUTES.deltas, {
        ...init,
        headers: { ...init.headers, "content-encoding": "gzip" },
      });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    }
    expect(service.uploads).toEqual([]);
    const sent = await app.request(ROUTES.deltas, await signedPost(me, ROUTES.deltas, plain, id));
    expect(sent.status).toBe(200);
  });
});

describe("A6: any request at all", () => {
  const routes = [
    ...[ROUTES.health, ROUTES.run, ROUTES.manifest, ROUTES.tokenizer, ROUTES.latestSnapshot, ROUTES.diff(2)],
    ...[ROUTES.snapshot(HASH), ROUTES.shard(SHARD), ROUTES.credit(KEY), ROUTES.tickets, ROUTES.deltas],
    ...[ROUTES.audits, ROUTES.auditedDelta(HASH)],
    ...["/", "/status", "/operator", "/metrics", "/api/operator/status", "/no/such"],
  ];
  const header = fc.string({ maxLength: 40 }).filter((text) => /^[\x20-\x7e]*$/.test(text));
  const requests = fc.record({
    path: fc.constantFrom(...routes),
    suffix: fc.oneof(
      fc.constant(""),
      fc.webQueryParameters().map((query) => `?${query}`),
      fc.webPath(),
    ),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"),
    body: fc.uint8Array({ maxLength: 300 }),
    type: header,
    protocol: fc.oneof(fc.constant("2"), header),
    signature: fc.oneof(fc.constant("A".repeat(86)), header),
  });

  test("gets an answer or one typed refusal, and the server lives", async () => {
    const service = new FakeService();
    const app = edge(service);
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(requests, async ({ path, suffix, method, body, type, protocol, signature }) => {
        const headers = {
          ...ADDRESSED,
          [PROTOCOL_HEADER]: protocol,
          "content-type": type,
          [KEY_HEADER]: me.key,
          [NONCE_HEADER]: drawNonce(),
          [SIGNATURE_HEADER]: signature,
        };
        const init = { method, headers, ...(method === "GET" ? {} : { body: body.slice() }) };
        const response = await app.request(path + suffix, init);
        const text = await response.text();
        if (response.status < 400) {
          answered += 1;
          return;
        }
        expect(response.status).toBeLessThan(500);
        if (response.headers.get("content-type")?.includes("json")) {
          expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(String) } });
        }
      }),
      { numRuns: 500 },
    );
    expect(answered).toBeGreaterThan(10); // the control: some of them are fine
    expect(service.uploads).toEqual([]);
    expect(service.tickets).toBe(0);
  });
});
