import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { AuditTicket } from "../../protocol/shared-audit.ts";
import { ADDRESSED, edge, refusal, signedPost } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";

let service: FakeService;
let app: ReturnType<typeof edge>;
let me: Identity;
beforeEach(async () => {
  service = new FakeService();
  app = edge(service);
  me = await createIdentity();
});

describe("AU5: asking for work as one that makes audits", () => {
  const wish = (text: string) => signedPost(me, ROUTES.tickets, utf8(text));
  const audit = { id: "a".repeat(22), frame: "f".repeat(64) } as AuditTicket;

  it("gives the audit that it was drawn for, and then a ticket", async () => {
    service.nextAudit = audit;
    const ask = async () =>
      (await app.request(ROUTES.tickets, await wish('{"speed":5,"audits":true}'))).json();
    expect(await ask()).toEqual({ audit });
    expect(await ask()).toMatchObject({ ticket: { volunteer: me.key } });
    expect(service.auditors).toHaveLength(2);
  });

  it("gives none to who does not say so, and refuses what is neither yes nor no", async () => {
    service.nextAudit = audit;
    for (const text of ["{}", '{"audits":false}']) {
      const answer = await app.request(ROUTES.tickets, await wish(text));
      expect(await answer.json()).toMatchObject({ ticket: { volunteer: me.key } });
    }
    expect(service.auditors).toEqual([]);
    const answer = await refusal(await app.request(ROUTES.tickets, await wish('{"audits":"yes"}')));
    expect(answer).toMatchObject({ status: 400, code: "bad-request" });
  });
});

describe("AU7: an auditor's answer", () => {
  const change = { before: 3, after: 2.5, error: 0.125 };
  const measured = { assigned: change, gate: change, distance: 0, shortened: 0.5, length: 1 };
  const sent = (answer: unknown) => signedPost(me, ROUTES.audits, utf8(JSON.stringify(answer)));
  const id = "a".repeat(22);

  it("is read field by field and handed on", async () => {
    const answer = await app.request(ROUTES.audits, await sent({ audit: id, measured, more: 1 }));
    expect(await answer.json()).toEqual({ taken: true });
    expect(service.auditAnswers).toEqual([{ audit: id, measured }]);
  });

  it.each([
    ["no audit", { measured }],
    ["no measurement", { audit: id }],
    ["a loss that is none", { audit: id, measured: { ...measured, gate: { ...change, after: null } } }],
    ["a loss beyond all bounds", { audit: id, measured: { ...measured, gate: { ...change, after: 1e7 } } }],
    ["no standard error", { audit: id, measured: { ...measured, assigned: { before: 3, after: 2 } } }],
    ["a distance below none", { audit: id, measured: { ...measured, distance: -1e-9 } }],
    ["a length that is text", { audit: id, measured: { ...measured, length: "1" } }],
  ])("with %s is refused", async (_what, answer) => {
    const response = await app.request(ROUTES.audits, await sent(answer));
    expect(await refusal(response)).toMatchObject({ status: 400, code: "bad-request" });
    expect(service.auditAnswers).toEqual([]);
  });

  it("is refused unread where it is larger than any, no JSON, or signed by nobody", async () => {
    const large = await app.request(
      ROUTES.audits,
      await sent({ audit: id, measured, more: "x".repeat(1_024) }),
    );
    expect(await refusal(large)).toMatchObject({ status: 413, code: "too-large" });
    const torn = await app.request(ROUTES.audits, await signedPost(me, ROUTES.audits, utf8("{")));
    expect(await refusal(torn)).toMatchObject({ status: 400, code: "bad-json" });
    const body = JSON.stringify({ audit: id, measured });
    const bare = await app.request(ROUTES.audits, { method: "POST", body, headers: ADDRESSED });
    expect(await refusal(bare)).toMatchObject({ status: 401, code: "bad-signature" });
    expect(service.auditAnswers).toEqual([]);
  });

  it("that the run refuses is refused with its code", async () => {
    for (const code of ["audit-over", "audit-answered", "not-your-audit"] as const) {
      service.failure = new ProtocolError(code, "no");
      expect(
        (await refusal(await app.request(ROUTES.audits, await sent({ audit: id, measured })))).code,
      ).toBe(code);
    }
  });
});
