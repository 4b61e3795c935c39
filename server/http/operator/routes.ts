import type { Context, Hono } from "hono";
import { ProtocolError } from "../../../protocol/errors.ts";
import { asText, type Json, parseJson } from "../../../protocol/guards.ts";
import { MAX_JSON_BYTES } from "../../../protocol/limits.ts";
import { OPERATOR_ROUTES, parseAction } from "../../../protocol/operator.ts";
import { toGguf, toHuggingFace } from "../../export/model.ts";
import { zip } from "../../export/zip.ts";
import { SESSION_MS, type Session, Sessions } from "../../operator/sessions.ts";
import { addressOf } from "../address.ts";
import { json } from "../answer.ts";
import { BodyRoom } from "../body.ts";
import type { Edge, EdgeOptions } from "../edge.ts";
import { NO_STORE } from "../headers.ts";
import { MAX_OPERATOR_BODIES, MAX_RATE_ENTRIES, SIGN_IN_RATE } from "../limits.ts";
import { RateLimiter } from "../rate.ts";
import type { OperatorDesk } from "./desk.ts";
import { requireOwnPage, requireSession, secretOf, setSession } from "./guard.ts";

/** A route that only a signed-in operator reaches. `body` is the JSON of a POST, empty for a GET. */
interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  handle(c: Context<Edge>, session: Session, body: Json): Promise<Response>;
}

/**
 * The routes under /api/operator. There is one handler for all of them, and it looks a route up only after both
 * questions of guard.ts: a route added to the table cannot be reached around them, nor told from one that
 * does not exist. Signing in is the only thing that needs no session.
 */
export function operatorRoutes(app: Hono<Edge>, desk: OperatorDesk, options: EdgeOptions): void {
  const { trustProxy, now } = options;
  const sessions = new Sessions(now);
  const tries = new RateLimiter(SIGN_IN_RATE, MAX_RATE_ENTRIES, now);
  const room = new BodyRoom({ bodies: MAX_OPERATOR_BODIES, bytes: MAX_OPERATOR_BODIES * MAX_JSON_BYTES });
  const table = new Map(
    routesOf(desk, sessions, trustProxy).map((route) => [`${route.method} ${route.path}`, route]),
  );

  const readBody = (c: Context<Edge>): Promise<Json> =>
    c.req.method === "GET"
      ? Promise.resolve({})
      : room.read(c.req.raw, MAX_JSON_BYTES, async (b) => parseJson(b));

  app.all(`${OPERATOR_ROUTES.all}/*`, async (c) => {
    requireOwnPage(c, trustProxy);
    if (c.req.method === "POST" && c.req.path === OPERATOR_ROUTES.signIn) {
      tries.take(addressOf(c, trustProxy));
      const { link } = await readBody(c);
      const name = await desk.redeem(asText(link, "link", 100));
      if (name === undefined) throw new ProtocolError("not-signed-in", "this link was used, or is too old");
      setSession(c, sessions.begin({ name }), SESSION_MS / 1_000, trustProxy);
      return json(c, { name });
    }
    const session = requireSession(c, sessions, trustProxy);
    const route = table.get(`${c.req.method} ${c.req.path}`);
    if (route === undefined) throw new ProtocolError("not-found", "there is nothing here");
    return route.handle(c, session, await readBody(c));
  });
}

/** Every route that needs a session. */
export function routesOf(desk: OperatorDesk, sessions: Sessions, trustProxy: boolean): readonly Route[] {
  return [
    {
      method: "POST",
      path: OPERATOR_ROUTES.signOut,
      async handle(c) {
        sessions.end(secretOf(c, trustProxy) ?? "");
        setSession(c, "", 0, trustProxy);
        return json(c, {});
      },
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.overview,
      handle: async (c, { name }) => json(c, { ...(await desk.overview()), operator: name }),
    },
    {
      method: "POST",
      path: OPERATOR_ROUTES.act,
      async handle(c, session, body) {
        await desk.act(parseAction(body), session);
        return json(c, {});
      },
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.gguf("f32"),
      handle: async (c) => download(c, toGguf(desk.model(), "f32"), "model-f32.gguf"),
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.gguf("f16"),
      handle: async (c) => download(c, toGguf(desk.model(), "f16"), "model-f16.gguf"),
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.huggingFace,
      handle: async (c) => download(c, zip(toHuggingFace(desk.model())), "model-hf.zip"),
    },
  ];
}

const download = (c: Context<Edge>, bytes: Uint8Array<ArrayBuffer>, name: string): Response =>
  c.body(bytes, 200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${name}"`,
    "cache-control": NO_STORE,
  });
