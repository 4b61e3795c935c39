import { ProtocolError } from "../../protocol/errors.ts";
import { FOUNDING_ROUTES, parseFoundingOrder, TEXT_CHUNK_BYTES } from "../../protocol/founding.ts";
import { OPERATOR_ROUTES } from "../../protocol/operator.ts";
import type { SetupPort } from "../setup/ports.ts";
import { json } from "./answer.ts";
import type { Route } from "./operator-routes.ts";

/** The routes of a server without a run: the same two questions come first (routes.ts). */
export function foundingRoutesOf(desk: SetupPort): readonly Route[] {
  return [
    {
      method: "GET",
      path: OPERATOR_ROUTES.overview,
      handle() {
        throw new ProtocolError("no-run", "this server has no run yet");
      },
    },
    {
      method: "GET",
      path: FOUNDING_ROUTES.state,
      handle: async (c, { name }) => json(c, { ...(await desk.state()), operator: name }),
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.text,
      handle: async (c, _, body) => json(c, await desk.begin(body)),
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.chunks,
      most: TEXT_CHUNK_BYTES,
      handle: async (c, _, bytes) => json(c, await desk.append(offsetOf(c.req.query("offset")), bytes)),
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.finish,
      handle: async (c, _, body) => json(c, await desk.finish(body)),
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.discard,
      async handle(c) {
        await desk.discard();
        return json(c, {});
      },
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.estimate,
      handle: async (c, _, body) => json(c, desk.estimate(parseFoundingOrder(body))),
    },
    {
      method: "POST",
      path: FOUNDING_ROUTES.found,
      async handle(c, session, body) {
        await desk.found(parseFoundingOrder(body), session);
        return json(c, {});
      },
    },
  ];
}

function offsetOf(text: string | undefined): number {
  if (text !== undefined && /^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw new ProtocolError("bad-request", "offset must be a whole number of bytes");
}
