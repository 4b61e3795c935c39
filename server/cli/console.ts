import { networkInterfaces } from "node:os";
import { bitsPerByte } from "../../protocol/bits-per-byte.ts";
import type { RunCard } from "../../protocol/card.ts";
import type { VersionEvent } from "../../protocol/events.ts";
import { setbackOf } from "../../protocol/setback.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { isLoopback } from "../net/network.ts";
import { wordsOf } from "../operator/alerts.ts";
import { LINK_MS } from "../operator/link.ts";

/** Where the server can be reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The path under which a proxy serves it, e.g. `/train`. */
  readonly path?: string;
  /** The origin by which the operator says that visitors come, e.g. `https://train.example`; of several, the first. */
  readonly named?: string | undefined;
}

const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::";

/** The address that the operator names, else one that a browser on this machine can open. */
export function originOf({ host, port, tls, path = "", named: given }: Endpoint): string {
  if (given !== undefined) return given + path;
  const named = isWildcard(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${tls ? "https" : "http"}://${named}:${port}${path}`;
}

/** `link` is the operator's one-time link. */
export function linksOf(endpoint: Endpoint, link: string): string {
  const origin = originOf(endpoint);
  const lines = [
    `  volunteer  ${origin}/`,
    `  status     ${origin}/status`,
    `  API        ${origin}/api/run`,
    `  model      ${origin}/api/snapshots/latest.safetensors`,
    `  operator   ${link}  (signs in once, within ${LINK_MS / 60_000} minutes)`,
  ];
  for (const address of isWildcard(endpoint.host) && endpoint.named === undefined ? addresses() : []) {
    lines.push(`  elsewhere  ${originOf({ ...endpoint, host: address })}/`);
  }
  return `${lines.join("\n")}\n`;
}

/** The machine's own addresses, for a server that listens on all. */
function addresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return found.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
}

/** Why visitors from elsewhere could not train, if they could not. */
export function insecureWarning({ host, tls }: Endpoint, behindProxy: boolean): string | undefined {
  if (tls || behindProxy || isLoopback(host)) return undefined;
  return (
    "This address speaks plain HTTP. On any machine but this one, browsers withhold WebGPU, Web Locks and\n" +
    "cryptography from such pages, so visitors cannot train. Use --tls-cert and --tls-key, or put an HTTPS\n" +
    "proxy in front and say --trust-proxy.\n"
  );
}

/** What a run that names no purpose makes its operator read, at each start. */
export function purposeLine({ purpose }: RunCard): string | undefined {
  if (purpose !== undefined) return undefined;
  return (
    "This run does not say what it is for, and people give their machine to a purpose. Say it on the operator's page, or\n" +
    'in the run file of a new run: "card": {"purpose": "…"}.\n'
  );
}

/**
 * E.g. `version 12: 4 deltas merged, held-out loss 5.01 (2.912 bits a byte, 80% of guessing), 9.8 ktok/s`. The loss is the newest
 * known, and says of which version when that is an older one: measuring never holds a version up.
 */
export function versionLine({ version, deltas }: VersionEvent, status: RunStatus): string {
  const newest = status.heldOut.at(-1);
  const parts = [`version ${version}: ${deltas} ${deltas === 1 ? "delta" : "deltas"} merged`];
  if (newest !== undefined) {
    const share = Math.round((100 * newest.loss) / status.baselines.uniform);
    const at = newest.version === version ? "" : ` at version ${newest.version}`;
    const bits = bitsPerByte(newest.loss, status.bytesPerToken);
    const measured = bits === undefined ? "" : `${bits.toFixed(3)} bits a byte, `;
    parts.push(`held-out loss ${newest.loss.toFixed(2)}${at} (${measured}${share}% of guessing)`);
  }
  parts.push(`${(status.tokensPerSecond / 1_000).toFixed(1)} ktok/s`);
  const setback = setbackOf(status.heldOut, status.baselines.uniform);
  if (setback !== undefined)
    parts.push(`worse than at version ${setback.best.version} (${setback.best.loss.toFixed(2)})`);
  return parts.join(", ");
}

/** The operator's options when a run gets worse. */
const REMEDY =
  "On the operator's page you can lower the learning rate and go back to an earlier version. If the loss that\n" +
  "volunteers report goes on falling, the text is too short for this model: add text, or take a smaller model.";

/** Says once when a run begins to get worse, and once when that is over. */
export class SetbackWatch {
  #hasSetback = false;

  /** The line to print after a measurement, if any. */
  line({ heldOut, baselines: { uniform } }: Pick<RunStatus, "heldOut" | "baselines">): string | undefined {
    const setback = setbackOf(heldOut, uniform);
    if ((setback !== undefined) === this.#hasSetback) return undefined;
    this.#hasSetback = setback !== undefined;
    if (setback === undefined) return "The model learns again: held-out loss is near its best.";
    return `Warning: ${wordsOf(setback, uniform)}.\n${REMEDY}`;
  }
}
