import { parseTextOrder } from "../../protocol/added-text.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { parseSetupOrder, SETUP_ROUTES, TEXT_CHUNK_BYTES } from "../../protocol/setup.ts";
import type { SetupPort, TextPort, UploadPort } from "../setup/ports.ts";
import { json } from "./answer.ts";
import type { Route } from "./operator-routes.ts";

/** The routes of a server without a run: the same two questions come first (routes.ts). */
export function setupRoutesOf(setup: SetupPort): readonly Route[] {
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
      path: SETUP_ROUTES.state,
      handle: async (c, { name }) => json(c, { ...(await setup.state()), operator: name }),
    },
    ...uploadRoutesOf(setup),
    {
      method: "POST",
      path: SETUP_ROUTES.estimate,
      handle: async (c, _, body) => json(c, await setup.estimate(parseSetupOrder(body))),
    },
    {
      method: "POST",
      path: SETUP_ROUTES.create,
      async handle(c, session, body) {
        await setup.createRun(parseSetupOrder(body), session);
        return json(c, {});
      },
    },
  ];
}

/** Those by which more text comes to a run that is there. */
export function textRoutesOf(text: TextPort): readonly Route[] {
  return [
    {
      method: "GET",
      path: SETUP_ROUTES.state,
      handle: async (c, { name }) => json(c, { ...(await text.state()), operator: name }),
    },
    ...uploadRoutesOf(text),
    {
      method: "POST",
      path: SETUP_ROUTES.add,
      async handle(c, session, body) {
        await text.add(parseTextOrder(body), session);
        return json(c, {});
      },
    },
  ];
}

const uploadRoutesOf = (setup: UploadPort): readonly Route[] => [
  {
    method: "POST",
    path: SETUP_ROUTES.text,
    handle: async (c, _, body) => json(c, await setup.begin(body)),
  },
  {
    method: "POST",
    path: SETUP_ROUTES.chunks,
    most: TEXT_CHUNK_BYTES,
    handle: async (c, _, bytes) => json(c, await setup.append(offsetOf(c.req.query("offset")), bytes)),
  },
  {
    method: "POST",
    path: SETUP_ROUTES.finish,
    handle: async (c, _, body) => json(c, await setup.finish(body)),
  },
  {
    method: "POST",
    path: SETUP_ROUTES.discard,
    async handle(c) {
      await setup.discard();
      return json(c, {});
    },
  },
];

function offsetOf(text: string | undefined): number {
  if (text !== undefined && /^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw new ProtocolError("bad-request", "offset must be a whole number of bytes");
}
