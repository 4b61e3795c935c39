import { beforeEach, describe, expect, it, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { PROTOCOL_HEADER } from "../../protocol/version.ts";
import { drawNonce, edge, refusal, signedPost, upload } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { Turns } from "../lib/turns.ts";

let service: FakeService;
let app: ReturnType<typeof edge>;
let me: Identity;
beforeEach(async () => {
  service = new FakeService();
  app = edge(service);
  me = await createIdentity();
});

const EMPTY = utf8("{}");
describe("on a server of several runs", () => {
  /** One whose journal is slow: each upload ends when the test says so. */
  class SlowService extends FakeService {
    readonly begun: string[];
    readonly ends: (() => void)[] = [];

    constructor(begun: string[], name: string) {
      super();
      this.begun = begun;
      const accept = this.accept;
      this.accept = async (...sent) => {
        begun.push(name);
        await new Promise<void>((resolve) => void this.ends.push(resolve));
        return accept(...sent);
      };
    }
  }

  it("checks a quiet run's upload before all that a busy one has waiting; control: without turns each at once", async () => {
    for (const uploadTurns of [new Turns(1), undefined]) {
      const begun: string[] = [];
      const [busy, quiet] = [new SlowService(begun, "busy"), new SlowService(begun, "quiet")];
      const send = async (to: SlowService) => {
        const { id, body } = upload(me);
        return edge(to, { uploadTurns }).request(
          ROUTES.deltas,
          await signedPost(me, ROUTES.deltas, body, id),
        );
      };
      const sent = [send(busy), send(busy), send(busy), send(quiet)];
      const most = uploadTurns === undefined ? 4 : 1;
      await vi.waitFor(() => expect([begun.length, uploadTurns?.waiting ?? 0]).toEqual([most, 4 - most]));
      while (begun.length < 4 || busy.ends.length + quiet.ends.length > 0) {
        for (const { ends } of [busy, quiet]) ends.shift()?.();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      for (const answer of sent) expect((await answer).status).toBe(200);
      if (uploadTurns !== undefined) expect(begun.indexOf("quiet")).toBeLessThan(2);
    }
  });
});

describe("asking for a ticket", () => {
  it("leases one to the key that signed", async () => {
    const response = await app.request(ROUTES.tickets, await signedPost(me, ROUTES.tickets, EMPTY));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ticket: { volunteer: me.key } });
  });

  it("V1: refuses another protocol, and none", async () => {
    for (const version of ["1", "0", "2.0", undefined]) {
      const init = await signedPost(me, ROUTES.tickets, EMPTY);
      delete init.headers[PROTOCOL_HEADER];
      if (version !== undefined) init.headers[PROTOCOL_HEADER] = version;
      const answer = await refusal(await app.request(ROUTES.tickets, init));
      expect(answer).toMatchObject({ status: 426, code: "protocol-mismatch" });
    }
    expect(service.tickets).toBe(0);
  });

  it("S2: refuses any change of what was signed", async () => {
    const sign = () => signedPost(me, ROUTES.tickets, EMPTY);
    const other = await createIdentity();
    const changed = [
      { ...(await sign()), body: utf8("{ }") },
      await signedPost(me, ROUTES.deltas, EMPTY),
      ...(await Promise.all(
        [
          { [KEY_HEADER]: other.key },
          { [NONCE_HEADER]: drawNonce() },
          { [SIGNATURE_HEADER]: "A".repeat(86) },
          { [SIGNATURE_HEADER]: "" },
          { [KEY_HEADER]: "" },
        ].map(async (headers) => {
          const init = await sign();
          return { ...init, headers: { ...init.headers, ...headers } };
        }),
      )),
    ];
    for (const init of changed) {
      const answer = await refusal(await app.request(ROUTES.tickets, init));
      expect(answer).toMatchObject({ status: 401, code: "bad-signature" });
    }
    const elsewhere = await app.request(`${ROUTES.tickets}?x=1`, await sign());
    expect(await refusal(elsewhere)).toMatchObject({ status: 401, code: "bad-signature" });
    expect(service.tickets).toBe(0);
  });

  it("S3: refuses a nonce sent before", async () => {
    const init = await signedPost(me, ROUTES.tickets, EMPTY);
    expect((await app.request(ROUTES.tickets, init)).status).toBe(200);
    const again = await refusal(await app.request(ROUTES.tickets, init));
    expect(again).toMatchObject({ status: 409, code: "nonce-reused" });
    expect(service.tickets).toBe(1);
  });

  it.each(["", "[]", "null", "1", "{", "\ufeff"])("P1: refuses %j as a body", async (text) => {
    const init = await signedPost(me, ROUTES.tickets, utf8(text));
    const { status } = await app.request(ROUTES.tickets, init);
    expect(status).toBe(400);
    expect(service.tickets).toBe(0);
  });

  it("refuses a body larger than JSON may be, before its signature is looked at", async () => {
    const init = await signedPost(me, ROUTES.tickets, new Uint8Array(20_000));
    expect(await refusal(await app.request(ROUTES.tickets, init))).toMatchObject({ code: "too-large" });
  });

  it("passes the run's own refusal on", async () => {
    service.failure = new ProtocolError("no-work", "nothing to do", 1_500);
    const response = await app.request(ROUTES.tickets, await signedPost(me, ROUTES.tickets, EMPTY));
    expect(await refusal(response)).toMatchObject({ status: 503, code: "no-work", retryAfterMs: 1_500 });
    expect(service.refusals).toEqual([]);
  });
});

describe("sending a delta", () => {
  it("reaches the run with its frame, and brings the receipt back", async () => {
    const { id, body } = upload(me);
    const response = await app.request(ROUTES.deltas, await signedPost(me, ROUTES.deltas, body, id));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ receipt: { ticket: id, volunteer: me.key } });
    expect(service.uploads.map((one) => [...one.frame])).toEqual([[1, 2, 3]]);
    expect(service.refusals).toEqual([]);
  });

  it("counts what the edge refuses, and leaves to the run what the run refuses", async () => {
    const bad = await signedPost(me, ROUTES.deltas, utf8("xx"));
    expect(await refusal(await app.request(ROUTES.deltas, bad))).toMatchObject({ code: "bad-frame" });
    const big = await signedPost(me, ROUTES.deltas, new Uint8Array(service.maxUploadBytes + 1));
    expect(await refusal(await app.request(ROUTES.deltas, big))).toMatchObject({
      status: 413,
      code: "too-large",
    });
    const { id, body } = upload(me);
    const forged = await signedPost(me, ROUTES.deltas, body, id);
    forged.headers[NONCE_HEADER] = drawNonce();
    await app.request(ROUTES.deltas, forged);
    expect(service.refusals).toEqual(["bad-frame", "too-large", "bad-signature"]);
    service.failure = new ProtocolError("stale", "too late");
    const late = await app.request(ROUTES.deltas, await signedPost(me, ROUTES.deltas, body, id));
    expect(await refusal(late)).toMatchObject({ status: 409, code: "stale" });
    expect(service.refusals).toHaveLength(3);
  });

  it("does not read what the header already declares too large", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled++;
          controller.enqueue(new Uint8Array(1_024));
        },
      },
      { highWaterMark: 0 },
    );
    const init = await signedPost(me, ROUTES.deltas, EMPTY);
    const headers = { ...init.headers, "content-length": "999999999" };
    const sent = {
      method: "POST",
      body,
      headers,
      duplex: "half",
    }; // duplex: Node's, absent from the DOM's types
    const request = new Request(`http://x${ROUTES.deltas}`, sent);
    expect(await refusal(await app.request(request))).toMatchObject({ status: 413, code: "too-large" });
    expect(pulled).toBe(0);
  });
});
