import { createHmac, randomBytes } from "node:crypto";
import { isIP } from "node:net";

/** Characters of a network's name: two of 20,000 networks have the same one with a chance of one in ten million. */
const NAME_CHARS = 12;

/**
 * Names networks so that it shows whether two senders share one, and nothing else: by a key that lives as long as this
 * process, or as the run's servers that share it, so that what is journaled leads back to no address, not even by trying
 * them all.
 */
export class Networks {
  #key = new Uint8Array(randomBytes(32));

  get key(): Uint8Array<ArrayBuffer> {
    return this.#key;
  }

  /** Goes on with another server's key: both then give a network the same name. */
  share(key: Uint8Array<ArrayBuffer>): void {
    this.#key = key;
  }

  /** Undefined where an address tells of no network. */
  nameOf(address: string): string | undefined {
    const prefix = prefixOf(address);
    if (prefix === undefined) return undefined;
    return createHmac("sha256", this.#key).update(prefix).digest("base64url").slice(0, NAME_CHARS);
  }
}

/**
 * The /24 of an IPv4 address, the /48 of an IPv6 one: what one person commonly has of addresses. Undefined for
 * loopback, private and link-local ones: behind a proxy that is not named to the server, or a container's bridge,
 * all the world has the same.
 */
export function prefixOf(address: string): string | undefined {
  const plain = (address.split("%", 1)[0] ?? "").toLowerCase();
  const version = isIP(plain);
  if (version === 0) return undefined;
  if (version === 4) return prefixOf4(plain);
  const groups = groupsOf(plain);
  const [first = 0] = groups;
  const zeros = groups.slice(0, 5).every((group) => group === 0);
  if (zeros && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return prefixOf4([high >> 8, high & 255, low >> 8, low & 255].join(".")); // an IPv4 address in IPv6's clothes
  }
  const local = zeros && groups[5] === 0; // loopback, unspecified
  if (local || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return undefined;
  return `${groups
    .slice(0, 3)
    .map((group) => group.toString(16))
    .join(":")}::/48`;
}

function prefixOf4(address: string): string | undefined {
  const [a = 0, b = 0, c = 0] = address.split(".").map(Number);
  const home =
    a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
  if (home || a === 127 || a === 0) return undefined;
  return `${a}.${b}.${c}.0/24`;
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  // The last two groups may be written as IPv4.
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [head = "", tail] = text.split("::");
  const read = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [front, back] = [read(head), read(tail ?? "")];
  return tail === undefined
    ? front
    : [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

/** Whether a host, by name or address, is this machine itself. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** The same of a Host header, port and all: whether only this machine can be meant by it. */
export function isLoopbackHost(host: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, "") ?? "";
  return isLoopback(name) || name.endsWith(".localhost");
}
