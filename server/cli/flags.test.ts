import { describe, expect, it } from "vitest";
import { UsageError } from "./command.ts";
import { parseServeFlags } from "./flags.ts";

describe("serve's flags", () => {
  it("have defaults", () => {
    expect(parseServeFlags([])).toEqual({
      port: 8080,
      host: "127.0.0.1",
      data: "./data",
      run: undefined,
      from: undefined,
      create: false,
      many: false,
      domain: undefined,
      volunteers: 0,
      tls: undefined,
      basePath: "",
      proxies: 0,
      origins: [],
      embedOn: [],
      mirror: undefined,
      cluster: undefined,
      edge: false,
      tasks: [],
    });
  });

  it("are read", () => {
    const all =
      "--port 0 --host=::1 --data d --run r.json --volunteers 3 --tls-cert c --tls-key k --trust-proxy --base-path /a/train/ " +
      "--embed-on https://a.example/ --embed-on http://localhost:81 --origin https://train.example " +
      "--mirror s3://models/run --mirror-url https://cdn.example/run/ " +
      "--cluster nats://a,b:4223 --key server.key --monitor a,b:82 --many --domain Train.Example --tasks evaluations,audits";
    expect(parseServeFlags(all.split(" "))).toEqual({
      port: 0,
      host: "::1",
      data: "d",
      run: "r.json",
      from: undefined,
      create: false,
      many: true,
      domain: "train.example",
      volunteers: 3,
      tls: { cert: "c", key: "k" },
      basePath: "/a/train",
      proxies: 1,
      origins: ["https://train.example"],
      embedOn: ["https://a.example", "http://localhost:81"],
      mirror: { place: "s3://models/run", url: "https://cdn.example/run" },
      cluster: { address: "nats://a,b:4223", key: "server.key", unsafe: false, monitors: ["a:8222", "b:82"] },
      edge: false,
      tasks: ["audits", "evaluations"],
    });
    expect(parseServeFlags(["--proxy-hops", "2"])).toMatchObject({ proxies: 2 });
    expect(parseServeFlags(["--help"])).toBe("help");
  });

  it.each([
    ["https://Blog.Example:443/", "https://blog.example"],
    ["HTTP://localhost:80", "http://localhost"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://blog.example.", "https://blog.example."],
  ])("--embed-on %s is read as browsers write it", (given, origin) => {
    expect(parseServeFlags(["--embed-on", given])).toMatchObject({ embedOn: [origin] });
  });

  it.each([
    ["--prot 1", /prot/],
    ["--port", /port/],
    ["--port 65536", /--port takes a whole number from 0 to 65535/],
    ["--port 80a", /--port/],
    ["--port=-1", /--port/],
    ["--volunteers 1.5", /--volunteers/],
    ["--volunteers 1000", /0 to 256/],
    ["--tls-cert c", /come together/],
    ["--tls-key k", /come together/],
    ["--create --run r.json", /--create leaves/],
    ["--create --from f", /--create leaves/],
    ["--origin train.example", /--origin takes an origin such as/],
    ["--embed-on *", /an origin such as/],
    ["--embed-on https://a.example/path", /without “\/path”: did you mean https:\/\/a\.example\?/],
    ["--embed-on https://a.example/?q", /without “\/\?q”: did you mean https:\/\/a\.example\?/],
    ["--embed-on https://ann:x@a.example", /without a user name: did you mean https:\/\/a\.example\?/],
    ["--embed-on Blog.example", /did you mean https:\/\/blog\.example\?/],
    ["--embed-on https://a.example;script-src", /an origin/],
    ["--embed-on data:,x", /an origin/],
    ["--tasks audits", /--tasks is for a run on a cluster/],
    ["--cluster nats://a --key k --tasks sums", /--tasks takes audits,evaluations,merges, not "sums"/],
    ["--domain https://train.example", /--domain takes a domain such as/],
    ["--domain 192.0.2.1", /--domain/],
    ["--domain train..example", /--domain/],
    ["--base-path train", /--base-path takes a path such as/],
    ["--base-path /a//b", /--base-path/],
    ["--base-path /../", /--base-path/],
    ["--mirror dir", /come together/],
    ["--cluster nats://a", /--cluster and --key come together/],
    ["--key server.key", /--cluster and --key come together/],
    ["--edge", /--edge is for a run on a cluster/],
    ["--monitor a", /--cluster and --key come together/],
    ["--cluster nats://a --key k --monitor a:8222,", /--monitor: monitoring ports are such as/],
    ["--unsafe", /--cluster and --key come together/],
    ["--cluster a,b --key server.key", /--cluster: an address of a cluster is such as nats:/],
    ["--cluster nats://ann:secret@a --key server.key", /NATS_PASSWORD(?!.*secret)/],
    ["--mirror-url https://cdn.example", /come together/],
    ["--mirror dir --mirror-url cdn.example", /--mirror-url takes an address such as/],
    ["--mirror dir --mirror-url https://cdn.example/?x", /--mirror-url takes an address/],
    ["--mirror dir --mirror-url https://a.example;script-src", /--mirror-url takes an address/],
    ["--proxy-hops 0", /at least one/],
    ["--proxy-hops 11", /--proxy-hops takes a whole number/],
    ["here", /here/],
  ])("%s is refused", (line, why) => {
    const parse = () => parseServeFlags(line.split(" "));
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(why);
  });
});
