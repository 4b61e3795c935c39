import type { HttpBindings } from "@hono/node-server";
import type { Logger } from "pino";
import type { ServerNonce, VolunteerKey } from "../../protocol/ids.ts";
import type { FoundingDesk, OperatorDesk } from "../operator/ports.ts";
import type { Sessions } from "../operator/sessions.ts";
import type { Introductions } from "../peers/introductions.ts";
import type { Assets } from "./assets.ts";

/** Hono's environment: Node's request and response where there is a socket, nothing under `app.request()`. */
export interface Edge {
  Bindings: Partial<HttpBindings>;
}

/** What the edge is told beside the run. */
export interface EdgeOptions {
  readonly assets: Assets;
  readonly log: Logger;
  /** Proxies that stand in front and whose word on the client is believed (forwarded.ts); 0: none. */
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Origins whose pages may frame the volunteer; absent or empty: any. */
  readonly embedOn?: readonly string[];
  /** Origins by which clients reach this server; absent or empty: any. */
  readonly origins?: readonly string[];
  /** Draws what signed requests must name (rule S3); tests say what. */
  readonly drawServerNonce?: () => ServerNonce;
  /** Ends the event streams, so that the server can close. */
  readonly closing: AbortSignal;
  /** Hears who made a signed request, with what, and on which site's page it says it stands. */
  readonly asked?: (volunteer: VolunteerKey, userAgent: string | undefined, site: string | undefined) => void;
  /** Tokens merged by way of a site that may embed; undefined for another. */
  readonly tokensOf?: (origin: string) => number | undefined;
  /** Hears how many bytes of what were sent: what peers may take over. */
  readonly sent?: (kind: "snapshots" | "diffs" | "shards", bytes: number) => void;
  /** Introduces browsers that share with each other; absent where the run does without. */
  readonly peers?: Introductions;
  /** What a signed-in operator sees and does; without it there are no operator routes. */
  readonly operator?: OperatorDesk;
  /** What a signed-in operator makes a run with, on a server that has none. */
  readonly founding?: FoundingDesk;
  /** Who is signed in, where that outlives the app: a server that gets its run makes another. */
  readonly sessions?: Sessions;
  /** The text of `/metrics`, and what an asker from another machine must send as a bearer token. */
  readonly metrics?: { readonly text: () => Promise<string>; readonly token: string | undefined };
}
