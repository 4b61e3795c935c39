import type { Hono } from "hono";
import { MAX_CODE_BYTES, parseCodeRequest } from "../../protocol/code.ts";
import { parseJson } from "../../protocol/guards.ts";
import { parseAnnouncement } from "../../protocol/introduction.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { prefixOf } from "../net/network.ts";
import type { Codes } from "../peers/codes.ts";
import type { Introductions } from "../peers/introductions.ts";
import type { RunService } from "../run/service.ts";
import { json } from "./answer.ts";
import type { Signed } from "./people.ts";

/** `POST /api/me/code`, signed (rule U6): there also where browsers do not share. */
export function codeRoute(app: Hono<Edge>, codes: Codes, proxies: number, signed: Signed): void {
  app.post(ROUTES.myCode, (c) =>
    signed(c, MAX_CODE_BYTES, async ({ volunteer }, body) =>
      json(c, codes.take(volunteer, parseCodeRequest(parseJson(body)), prefixOf(addressOf(c, proxies)))),
    ),
  );
}

/** `POST /api/peers`, signed (rule K5). Absent where the run does not let browsers share. */
export function peerRoutes(
  app: Hono<Edge>,
  service: RunService,
  introductions: Introductions,
  proxies: number,
  signed: Signed,
): void {
  app.post(ROUTES.peers, (c) =>
    signed(c, MAX_JSON_BYTES, async ({ volunteer }, body) => {
      const announcement = parseAnnouncement(parseJson(body));
      const network = prefixOf(addressOf(c, proxies));
      return json(c, introductions.announce(volunteer, announcement, service.manifest().hash, network));
    }),
  );
}
