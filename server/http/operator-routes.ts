import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { asText, type Json, parseJson } from "../../protocol/guards.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { MADE_UP_CLIENT, OPERATOR_ROUTES, parseAction } from "../../protocol/operator.ts";
import { TEXT_CHUNK_BYTES } from "../../protocol/setup.ts";
import { toGguf, toHuggingFace } from "../export/model.ts";
import { zip } from "../export/zip.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { NO_STORE } from "../net/headers.ts";
import { MAX_OPERATOR_BODIES, MAX_RATE_ENTRIES, MAX_SIGN_INS, SIGN_IN_RATE } from "../net/limits.ts";
import { prefixOf } from "../net/network.ts";
import { RateLimiter } from "../net/rate.ts";
import type { OperatorPort, SignInPort } from "../operator/ports.ts";
import { SESSION_MS, type Session, Sessions } from "../operator/sessions.ts";
import { json, whole } from "./answer.ts";
import { methodOf } from "./gate.ts";
import {
  cookiePath,
  requireBody,
  requireOwnPage,
  requireSession,
  secretsOf,
  setSession,
} from "./operator-guard.ts";
import { limitUploads, UploadLimiter } from "./upload-limiter.ts";

/** A route that only a signed-in operator reaches. */
export type Route = JsonRoute | BytesRoute;

interface JsonRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly most?: undefined;
  /** `body` is the JSON of a POST, empty for a GET. */
  handle(c: Context<Edge>, session: Session, body: Json): Promise<Response>;
}

/** One whose body is a piece of a file. */
interface BytesRoute {
  readonly method: "POST";
  readonly path: string;
  /** Bytes the body may have. */
  readonly most: number;
  handle(c: Context<Edge>, session: Session, body: Uint8Array<ArrayBuffer>): Promise<Response>;
}

export interface OperatorRouteOptions {
  /** Proxies that stand in front and whose word on the client is believed (net/forwarded.ts); 0: none. */
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The sessions, where they outlive the app: a server that gets its run makes another app. */
  readonly sessions?: Sessions;
  /** Those of the operator of all runs of the server, which are good for each. */
  readonly overall?: Sessions | undefined;
}

/**
 * The routes under /api/operator. There is one handler for all of them, and it looks a route up only after both
 * questions of guard.ts: a route added to the table cannot be reached around them, nor told from one that
 * does not exist. Signing in is the only thing that needs no session.
 */
export function operatorRoutes(
  app: Hono<Edge>,
  operator: SignInPort,
  routes: readonly Route[],
  options: OperatorRouteOptions,
): void {
  const { proxies, now } = options;
  const own = options.sessions ?? new Sessions(now);
  const sessions = options.overall === undefined ? [own] : [own, options.overall];
  const tries = new RateLimiter(SIGN_IN_RATE, MAX_RATE_ENTRIES, now);
  // Apart, or strangers who sign in slowly would keep out whoever is signed in.
  const signIns = limitUploads(MAX_SIGN_INS, MAX_SIGN_INS * MAX_JSON_BYTES);
  const bodies = new UploadLimiter({
    bodies: MAX_OPERATOR_BODIES,
    bytes: MAX_OPERATOR_BODIES * MAX_JSON_BYTES,
  });
  const chunks = new UploadLimiter({
    bodies: MAX_OPERATOR_BODIES,
    bytes: MAX_OPERATOR_BODIES * TEXT_CHUNK_BYTES,
  });
  const table = new Map(
    [signOutRoute(sessions, proxies), ...routes].map((route) => [`${route.method} ${route.path}`, route]),
  );

  const readBody = (c: Context<Edge>): Promise<Json> =>
    methodOf(c) === "GET"
      ? Promise.resolve({})
      : bodies.read(c.req.raw, MAX_JSON_BYTES, async (b) => parseJson(b));

  const answer = async (c: Context<Edge>) => {
    requireOwnPage(c, proxies);
    if (c.req.method === "POST" && c.req.path === OPERATOR_ROUTES.signIn) {
      requireBody(c, "json");
      const address = addressOf(c, proxies);
      tries.take(address);
      const read = async (bytes: Uint8Array) => parseJson(bytes);
      const { link, path: page } = await signIns.read(c.req.raw, MAX_JSON_BYTES, read, prefixOf(address));
      const path = cookiePath(page);
      const name = await operator.redeem(asText(link, "link", 100));
      if (name === undefined) throw new ProtocolError("not-signed-in", "this link was used, or is too old");
      setSession(c, own.begin({ name }), { seconds: SESSION_MS / 1_000, path, proxies });
      return json(c, { name });
    }
    const session = requireSession(c, sessions, proxies);
    const route = table.get(`${methodOf(c)} ${c.req.path}`);
    if (route === undefined) throw new ProtocolError("not-found", "there is nothing here");
    requireBody(c, route.most === undefined ? "json" : "bytes");
    if (route.most === undefined) return route.handle(c, session, await readBody(c));
    return chunks.read(c.req.raw, route.most, (bytes) => route.handle(c, session, bytes));
  };
  app.all(`${OPERATOR_ROUTES.all}/*`, answer);
}

const signOutRoute = (sessions: readonly Sessions[], proxies: number): Route => ({
  method: "POST",
  path: OPERATOR_ROUTES.signOut,
  async handle(c, _, body) {
    for (const secret of secretsOf(c, proxies)) for (const open of sessions) open.end(secret);
    setSession(c, "", { seconds: 0, path: cookiePath(body.path), proxies });
    return json(c, {});
  },
});

/** The routes of a run's operator; each needs a session. */
export function routesOf(operator: OperatorPort, proxies: number): readonly Route[] {
  return [
    {
      method: "GET",
      path: OPERATOR_ROUTES.overview,
      async handle(c, { name }) {
        const madeUp = addressOf(c, proxies) === MADE_UP_CLIENT.address;
        return json(c, { ...(await operator.overview(madeUp)), operator: name });
      },
    },
    {
      method: "POST",
      path: OPERATOR_ROUTES.act,
      async handle(c, session, body) {
        await operator.act(parseAction(body), session);
        return json(c, {});
      },
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.gguf("f32"),
      handle: async (c) => download(c, toGguf(operator.model(), "f32"), "model-f32.gguf"),
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.gguf("f16"),
      handle: async (c) => download(c, toGguf(operator.model(), "f16"), "model-f16.gguf"),
    },
    {
      method: "GET",
      path: OPERATOR_ROUTES.huggingFace,
      handle: async (c) => download(c, zip(toHuggingFace(operator.model())), "model-hf.zip"),
    },
  ];
}

const download = (c: Context<Edge>, bytes: Uint8Array<ArrayBuffer>, name: string): Response =>
  whole(c, bytes, 200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${name}"`,
    "cache-control": NO_STORE,
  });
