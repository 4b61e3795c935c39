import { asOrigin } from "./origin.ts";

/** How a site wants the box. */
export interface Wishes {
  readonly label: string;
  readonly theme: "auto" | "light" | "dark";
  /** The part of the time to train, in percent. */
  readonly share: number;
  /** MB a visitor's traffic may take in a day; 0 for no bound. */
  readonly budget: number;
  /** Pixels; the box's own most is 26rem. */
  readonly width: number;
  /** Hold browsers to this very loader. */
  readonly pinned: boolean;
  /** Let visitors have the model write. */
  readonly ask: boolean;
}

export const USUAL: Wishes = {
  ...{ label: "", theme: "auto", share: 25, budget: 0, width: 416 },
  ...{ pinned: false, ask: false },
};

/** The tag to paste. `integrity` is the loader's hash, where it is to be pinned. */
export function tagOf(server: string, wishes: Wishes, integrity: string | undefined): string {
  const { label, theme, share, budget, pinned, ask } = wishes;
  const data = [
    label.trim() !== "" && ["label", label.trim()],
    theme !== USUAL.theme && ["theme", theme],
    share !== USUAL.share && ["share", String(share / 100)],
    budget > 0 && ["budget", `${budget}MB`],
  ].filter((pair): pair is string[] => pair !== false);
  const attributes = [
    `src="${escapeAttribute(`${server}/embed.js`)}"`,
    ...data.map(([name = "", value = ""]) => `data-${name}="${escapeAttribute(value)}"`),
    ...(ask ? ["data-ask"] : []),
    ...(pinned && integrity !== undefined ? [`integrity="${integrity}"`, 'crossorigin="anonymous"'] : []),
  ];
  return `<script defer ${attributes.join("\n        ")}></script>`;
}

/**
 * What the site's own style sheet has to say: the tag keeps the box's room (client/embed/style.ts) until the loader puts
 * it there, or all that stands below would move then; and the width, where it is not the usual one.
 */
export function styleOf(server: string, { width }: Wishes): string {
  const waiting = `script[src="${server}/embed.js"]:not(:has(+ murmuration-swarm))`;
  return [
    `${waiting} { display: block; height: 15rem; }`,
    `@media (max-width: 30rem) { ${waiting} { height: 20rem; } }`,
    ...(width === USUAL.width ? [] : [`murmuration-swarm { --murmuration-width: ${width}px; }`]),
  ].join("\n");
}

/** The lines of a site's Content-Security-Policy; the last is for the badge. */
export function policyOf(server: string): string {
  const { origin } = new URL(server); // a path in a policy would have to name each file
  return `script-src ${origin};\nframe-src ${origin};\nimg-src ${origin}`;
}

/** The badge: of a site, or where none is named of all. */
export function badgeOf(server: string, site: string): string {
  const origin = asOrigin(site);
  const query = origin === undefined ? "" : `?site=${encodeURIComponent(origin)}`;
  return (
    `<a href="${escapeAttribute(`${server}/status`)}">` +
    `<img src="${escapeAttribute(`${server}/badge.svg${query}`)}" height="20" alt="Tokens trained"></a>`
  );
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeAttribute = (text: string): string => text.replace(/[&<>"]/g, (one) => ESCAPES[one] ?? "");
