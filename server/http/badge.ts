import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { escaped } from "../lib/escaped.ts";
import type { Edge } from "../net/edge.ts";
import type { RunService } from "../run/service.ts";
import { whole } from "./answer.ts";
import { large } from "./large.ts";

/** How long a proxy, or GitHub's image cache, may keep a badge. */
const CACHE = "public, max-age=300";

const LABEL = "trained here";
const LABEL_OF_ALL = "trained in browsers";

export interface BadgeOptions {
  /** Tokens merged by way of a site that may embed; undefined for another. */
  readonly tokensOf?: (origin: string) => number | undefined;
}

/** A picture to put on a page: how many tokens were merged by way of a site that may embed, or by all. */
export function badgeRoute(app: Hono<Edge>, service: RunService, options: BadgeOptions): void {
  app.get("/badge.svg", (c) => {
    const site = c.req.query("site");
    const tokens = site === undefined ? service.status().tokensMerged : options.tokensOf?.(site);
    if (tokens === undefined) throw new ProtocolError("not-found", "no such site may embed this run");
    c.header("cross-origin-resource-policy", "cross-origin");
    return whole(c, badge(site === undefined ? LABEL_OF_ALL : LABEL, `${large(tokens)} tokens`), 200, {
      "content-type": "image/svg+xml",
      "cache-control": CACHE,
    });
  });
}

/** Pixels a character of 11-pixel DejaVu Sans is wide, on the mean; `textLength` makes every font keep to it. */
const CHAR = 6.6;
const PAD = 8;
const HEIGHT = 20;

/** Two boxes of text, of fixed height and a width that follows from the text alone. */
export function badge(label: string, value: string): string {
  const [left, right] = [label, value].map((text) => Math.round(text.length * CHAR) + 2 * PAD) as [
    number,
    number,
  ];
  const text = (words: string, x: number, width: number) =>
    `<text x="${x + PAD}" y="14" textLength="${width - 2 * PAD}" lengthAdjust="spacingAndGlyphs">${escaped(words)}</text>`;
  const title = escaped(`${label}: ${value}`);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${title}">` +
    `<title>${title}</title>` +
    `<rect width="${left + right}" height="${HEIGHT}" rx="4" fill="#2c3550"/>` +
    `<path d="M${left} 0h${right - 4}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H${left}z" fill="#3a4fa0"/>` +
    `<g fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">` +
    `${text(label, 0, left)}${text(value, left, right)}</g></svg>`
  );
}
