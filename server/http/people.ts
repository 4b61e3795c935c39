import { randomBytes } from "node:crypto";
import type { Context, Hono } from "hono";
import { as, asBoolean, asObject, parseJson } from "../../protocol/guards.ts";
import { isPersonId, isTeamId, type ServerNonce } from "../../protocol/ids.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { openLink } from "../../protocol/link.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { nodeChecks } from "../lib/signatures.ts";
import type { Edge } from "../net/edge.ts";
import { DATA_RATE, MAX_RATE_ENTRIES } from "../net/limits.ts";
import { RateLimiter } from "../net/rate.ts";
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

/** Bytes of a page's or a team's id: nobody finds one that was not given to them. */
const ID_BYTES = 16;
const drawId = () => as(isPersonId, randomBytes(ID_BYTES).toString("base64url"), "a page");

/** Routes for a volunteer's own name, links and data (rules U1 to U5), by the key that it works under, and by no other. */
export function peopleRoutes(app: Hono<Edge>, service: RunService, signed: Signed, now: () => number): void {
  const readers = new RateLimiter(DATA_RATE, MAX_RATE_ENTRIES, now);
  app.get(ROUTES.leaders, (c) => json(c, { leaders: service.leaders() }));
  app.post(ROUTES.myName, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      const { name: given, page } = parseJson(body);
      const wanted = page === undefined ? undefined : asBoolean(page, "page");
      const name = await service.rename(volunteer, given);
      if (name === undefined) return json(c, { name: null, page: null });
      // A client that knows of no pages changes none.
      const id =
        wanted === undefined ? service.pageOf(volunteer) : await service.setPage(volunteer, wanted, drawId());
      return json(c, { name, page: id ?? null });
    }),
  );
  app.post(ROUTES.myData, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      asObject(parseJson(body), "the body");
      readers.take(volunteer);
      return json(c, { data: service.dataOf(volunteer) });
    }),
  );
  app.post(ROUTES.myTeam, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      const id = as(isTeamId, drawId(), "a team");
      return json(c, { team: (await service.joinTeam(volunteer, parseJson(body).team, id)) ?? null });
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
