import { describe, expect, it } from "vitest";
import { clientAddress, clientHosts, clientScheme, type ReadHeader } from "./forwarded.ts";

const headers =
  (all: Readonly<Record<string, string>>): ReadHeader =>
  (name) =>
    all[name];
const REMOTE = "127.0.0.1";
const of = (value: string, proxies = 1) =>
  clientAddress(headers({ "x-forwarded-for": value }), REMOTE, proxies);

describe("the client's address", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.9:51234", "203.0.113.9"], // Azure's gateways
    ["[2001:db8:1:2::9]:51234", "2001:db8:1:2::"],
    ["[2001:db8:1:2::9]", "2001:db8:1:2::"],
    ["2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["198.51.100.1, 203.0.113.9:1", "203.0.113.9"],
    ["::1", "::1"],
  ])("of X-Forwarded-For %j is %s", (value, address) => {
    expect(of(value)).toBe(address);
  });

  it("is the same for every port and every spelling, so that no limit is dodged by them", () => {
    const ports = Array.from({ length: 20 }, (_, i) => of(`203.0.113.9:${5_000 + i}`));
    expect(new Set(ports).size).toBe(1);
    const spellings = ["2001:db8::1", "2001:0db8:0::0001", "[2001:DB8::1]:4", "2001:db8::ffff:1"];
    expect(new Set(spellings.map((one) => of(one))).size).toBe(1);
  });

  it("is the socket's where a proxy says what is no address", () => {
    for (const value of ["", "unknown", "_hidden", "203.0.113", "0x7f.1", "1.2.3.4.5", "x".repeat(5_000)]) {
      expect(of(value), value).toBe(REMOTE);
    }
    expect(clientAddress(headers({}), "::ffff:192.0.2.1", 1)).toBe("192.0.2.1");
    expect(clientAddress(headers({}), undefined, 1)).toBe("unknown");
  });

  it("is unknown where no proxy is trusted", () => {
    expect(of("203.0.113.9", 0)).toBe(REMOTE);
    expect(clientAddress(headers({ forwarded: "for=203.0.113.9" }), REMOTE, 0)).toBe(REMOTE);
  });

  it("is what the outermost trusted proxy appended, whatever the client wrote before it", () => {
    const chain = "6.6.6.6, 203.0.113.9, 198.51.100.7";
    expect(of(chain, 1)).toBe("198.51.100.7");
    expect(of(chain, 2)).toBe("203.0.113.9");
    expect(of(chain, 3)).toBe("6.6.6.6"); // the control: one proxy too many believed is the client believed
    expect(of("198.51.100.7", 2)).toBe("198.51.100.7"); // who came past the outer proxy
  });

  it.each([
    ["for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"],
    ['for=6.6.6.6, For="203.0.113.9:81"', "203.0.113.9"],
    ['for="[2001:db8:1:2::9]:4711"', "2001:db8:1:2::"],
    ['for="a,b;c", for=unknown', REMOTE],
  ])("of Forwarded %j is %s", (value, address) => {
    expect(clientAddress(headers({ forwarded: value }), REMOTE, 1)).toBe(address);
  });

  it("is X-Forwarded-For's where both headers are there: a proxy that writes one passes the other on", () => {
    const both = headers({ "x-forwarded-for": "203.0.113.9", forwarded: "for=6.6.6.6" });
    expect(clientAddress(both, REMOTE, 1)).toBe("203.0.113.9");
  });
});

describe("the host and the scheme that the browser used", () => {
  it("are the first of a list", () => {
    const chained = headers({
      host: "127.0.0.1:8080",
      "x-forwarded-host": "train.example, inner.example",
      "x-forwarded-proto": "https,http",
    });
    expect(clientHosts(chained, 1)).toContain("train.example");
    expect(clientHosts(chained, 1)).not.toContain("inner.example");
    expect(clientScheme(chained, 1)).toBe("https");
    expect(clientScheme(headers({ "x-forwarded-proto": "HTTPS, http" }), 1)).toBe("https");
    expect(clientScheme(headers({ "x-forwarded-proto": "http,https" }), 1)).toBe("http");
  });

  it("have the port that the proxy names", () => {
    const read = headers({ host: "train.example", "x-forwarded-port": "8443" });
    expect(clientHosts(read, 1)).toEqual(["train.example", "train.example:8443"]);
    expect(clientHosts(headers({ host: "a.example:1", "x-forwarded-port": "2" }), 1)).toEqual([
      "a.example:1",
    ]);
    expect(clientHosts(headers({ host: "a.example", "x-forwarded-port": "80;x" }), 1)).toEqual(["a.example"]);
  });

  it("are read from Forwarded too", () => {
    const read = headers({
      host: "inner",
      forwarded: 'for=1.2.3.4;host="train.example:81";proto=https, for=b',
    });
    expect(clientHosts(read, 1)).toEqual(["inner", "train.example:81"]);
    expect(clientScheme(read, 1)).toBe("https");
  });

  it("are nobody's word where no proxy is trusted", () => {
    const read = headers({
      host: "inner",
      "x-forwarded-host": "evil.example",
      "x-forwarded-port": "81",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example;proto=https",
    });
    expect(clientHosts(read, 0)).toEqual(["inner"]);
    expect(clientScheme(read, 0)).toBeUndefined();
  });
});
