import type { Context, Hono } from "hono";
import { asObject, parseJson } from "../../protocol/guards.ts";
import type { ServerNonce } from "../../protocol/ids.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { openLink } from "../../protocol/link.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { nodeChecks } from "../lib/signatures.ts";
import type { Edge } from "../net/edge.ts";
import type { RunService } from "../run/service.ts";
import { json } from "./answer.ts";

/** A signed request's sender, and by which address and of our nonces it asked. */
export interface Sender extends SignedRequest {
  readonly origin: string;
  readonly serverNonce: ServerNonce;
}

/** Reads a signed body, checks all there is to check about it, and hands it on. */
export type Signed = <T>(
  c: Context<Edge>,
  limit: number,
  use: (sender: Sender, body: Uint8Array<ArrayBuffer>) => Promise<T>,
) => Promise<T>;

/** Routes for a volunteer's own name, links and data (rules U1 to U5), by the key that it works under, and by no other. */
export function peopleRoutes(app: Hono<Edge>, service: RunService, signed: Signed): void {
  app.get(ROUTES.leaders, (c) => json(c, { leaders: service.leaders() }));
  app.post(ROUTES.myName, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) =>
      json(c, { name: (await service.rename(volunteer, parseJson(body).name)) ?? null }),
    ),
  );
  app.post(ROUTES.myData, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      asObject(parseJson(body), "the body");
      return json(c, { data: service.dataOf(volunteer) });
    }),
  );
  app.post(ROUTES.myLink, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer, nonce, origin, serverNonce }, body) => {
      const { run, server } = service.manifest();
      const terms = { run, server, origin, serverNonce, nonce, volunteer };
      return json(c, await service.link(volunteer, await openLink(parseJson(body), terms, nodeChecks)));
    }),
  );
  app.post(ROUTES.forgetMe, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      asObject(parseJson(body), "the body");
      await service.forget(volunteer);
      return json(c, { forgotten: true });
    }),
  );
}
