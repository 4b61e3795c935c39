/**
 * Response headers that keep a browser strict. There is no CORS header but on the loader, on purpose: our pages, the
 * framed volunteer among them, come from the same origin as the API, so no other site's script has business
 * with it (a script outside browsers needs no CORS to read the public API). Only what another site embeds
 * by a tag is marked cross-origin: the loader and the frame. A site that is isolated (its own embedder policy) takes only
 * frames that are so too, and they Workers only whose scripts are: so frame and scripts have the strict policy, which costs
 * nothing where all comes from one origin.
 */
const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'";

/** Pages, and the scripts among them that become Workers, which take their policy from their own response. */
const page = (mirror: string | undefined) =>
  [
    NOTHING,
    "script-src 'self' 'wasm-unsafe-eval'", // the trainer compiles WebAssembly; no inline script, no eval
    "worker-src 'self'",
    // A mirror's bytes are checked by their hashes before anything uses them.
    `connect-src 'self'${mirror === undefined ? "" : ` ${new URL(mirror).origin}`}`,
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
  ].join("; ");

export const CSP = {
  /** JSON and binary answers: a browser that is tricked into showing one runs nothing in it. */
  api: `${NOTHING}; frame-ancestors 'none'`,
  page: (mirror?: string) => `${page(mirror)}; frame-ancestors 'none'`,
  /**
   * The framed volunteer may stand on the sites named, or on any where none is. It asks its visitor itself, so
   * that no site can answer for them; the browser refuses the frame on a site that is not named.
   */
  frame: (sites: readonly string[], mirror?: string) =>
    `${page(mirror)}; frame-ancestors ${sites.length === 0 ? "*" : sites.join(" ")}`,
} as const;

/** On the frame and on all scripts, in which any may be a Worker's. */
export const ISOLATED = "require-corp";

/** On every response; a route overrides the first two where it must. */
export const STRICT_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CSP.api,
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** Bytes that never change under their name: a year, the longest that caches honour. */
export const IMMUTABLE = "public, max-age=31536000, immutable";
/** Kept, but asked about each time. */
export const REVALIDATE = "no-cache";
/** True only now. */
export const NO_STORE = "no-store";
