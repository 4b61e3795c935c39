import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Reads what reverse proxies add to a request: X-Forwarded-For, -Host, -Proto and -Port, and RFC 7239's Forwarded where the
 * first ones are absent. All of it is a stranger's word unless the operator said that a proxy writes it.
 *
 * A proxy appends the address that it saw to X-Forwarded-For, so the entry of a proxy that we trust stands last, and
 * what stands before it may be the client's invention. Host and scheme are what the browser used, which is the first
 * entry: a client that lies there misleads nobody but itself.
 */
export type ReadHeader = (name: string) => string | undefined;

/** Characters of one of these headers: a chain of some thirty proxies. A longer one is not read. */
const MAX_CHARS = 2_048;

/**
 * The client's address for limits: as the outermost of `proxies` trusted proxies saw it, or the socket's where none is
 * trusted or what it says is no address. An IPv6 address stands for its /64, all of which one subscriber has.
 */
export function clientAddress(read: ReadHeader, remote: string | undefined, proxies: number): string {
  const chain = proxies > 0 ? addressesIn(read) : [];
  const seen = canonical(chain.at(-proxies) ?? chain[0] ?? "");
  return seen ?? canonical(remote ?? "") ?? remote ?? "unknown";
}

/** The hosts, with their ports, by which the browser may have come: what the proxy says, and the Host header. */
export function clientHosts(read: ReadHeader, proxies: number): readonly string[] {
  const host = read("host");
  const hosts = host === undefined ? [] : [host];
  if (proxies === 0) return hosts;
  const forwarded = first(read, "x-forwarded-host") ?? firstForwarded(read, "host");
  if (forwarded !== undefined) hosts.push(forwarded);
  const port = first(read, "x-forwarded-port");
  if (port === undefined || !/^\d{1,5}$/.test(port)) return hosts;
  return hosts.flatMap((one) => (/:\d+$/.test(one) ? [one] : [one, `${one}:${port}`]));
}

/** The scheme by which the browser came, or undefined where no trusted proxy says it. */
export function clientScheme(read: ReadHeader, proxies: number): "http" | "https" | undefined {
  if (proxies === 0) return undefined;
  const scheme = (first(read, "x-forwarded-proto") ?? firstForwarded(read, "proto"))?.toLowerCase();
  return scheme === "https" || scheme === "http" ? scheme : undefined;
}

/** The list of an X-Forwarded header, or undefined where there is none. */
function listOf(read: ReadHeader, name: string): string[] | undefined {
  const value = read(name);
  if (value === undefined || value.length > MAX_CHARS) return undefined;
  return value.split(",").map((entry) => entry.trim());
}

const first = (read: ReadHeader, name: string): string | undefined => listOf(read, name)?.[0] || undefined;

function addressesIn(read: ReadHeader): readonly string[] {
  return listOf(read, "x-forwarded-for") ?? forwarded(read).map((element) => element.get("for") ?? "");
}

const firstForwarded = (read: ReadHeader, parameter: string): string | undefined =>
  forwarded(read)[0]?.get(parameter);

/** The elements of a Forwarded header, e.g. `for="[2001:db8::1]:81";proto=https, for=192.0.2.1`, by lower-case name. */
function forwarded(read: ReadHeader): ReadonlyMap<string, string>[] {
  const value = read("forwarded");
  if (value === undefined || value.length > MAX_CHARS) return [];
  return splitOutsideQuotes(value, ",").map((element) => {
    const pairs = splitOutsideQuotes(element, ";").map((pair): [string, string] => {
      const [name = "", text = ""] = [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)];
      return [name.trim().toLowerCase(), text.trim().replace(/^"(.*)"$/, "$1")];
    });
    return new Map(pairs);
  });
}

function splitOutsideQuotes(text: string, separator: "," | ";"): string[] {
  const parts = [""];
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Ranges in which a /64 is many hosts', or this one alone. */
const LOCAL: ReadonlySet<string> = new Set(["loopback", "unspecified", "linkLocal", "uniqueLocal"]);

/** One spelling for one address, without the port that some proxies add; undefined for anything else. */
function canonical(text: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text;
  if (isIP(bare) === 0) return undefined;
  const address = ipaddr.process(bare); // an IPv4 address within an IPv6 one becomes IPv4
  if (address.kind() === "ipv4" || LOCAL.has(address.range())) return address.toString();
  return ipaddr
    .fromByteArray([...address.toByteArray().slice(0, 8), ...new Array<number>(8).fill(0)])
    .toString();
}
