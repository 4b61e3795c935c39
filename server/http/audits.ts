import type { Hono } from "hono";
import { parseJson } from "../../protocol/guards.ts";
import { MAX_AUDIT_BYTES } from "../../protocol/limits.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseAuditAnswer } from "../../protocol/shared-audit.ts";
import type { Edge } from "../net/edge.ts";
import type { RunService } from "../run/service.ts";
import { json } from "./answer.ts";
import type { Signed } from "./people.ts";

/** `POST /api/audits`, signed: an auditor's answer (rule AU7). */
export function auditRoutes(app: Hono<Edge>, service: RunService, signed: Signed): void {
  app.post(ROUTES.audits, (c) =>
    signed(c, MAX_AUDIT_BYTES, async ({ volunteer }, body) => {
      service.answerAudit(volunteer, parseAuditAnswer(parseJson(body)));
      return json(c, { taken: true });
    }),
  );
}
