import { describe, expect, it } from "vitest";
import type { VersionEvent } from "../../protocol/events.ts";
import { FakeService, HASH } from "../../test/fake-service.ts";
import { insecureWarning, linksOf, originOf, purposeLine, SetbackWatch, versionLine } from "./console.ts";

const endpoint = (host: string, tls = false) => ({ host, port: 81, tls });
const published: VersionEvent = {
  type: "version",
  version: 12,
  hash: HASH,
  diffBytes: 1,
  deltas: 4,
  tokens: 8,
  ms: 9,
};

describe("what the operator reads", () => {
  it("links an address a browser can open", () => {
    expect(originOf(endpoint("127.0.0.1"))).toBe("http://127.0.0.1:81");
    expect(originOf(endpoint("::1", true))).toBe("https://[::1]:81");
    expect(originOf(endpoint("0.0.0.0"))).toBe("http://localhost:81");
    const links = linksOf(endpoint("example.org", true), "https://example.org:81/operator#link=x");
    for (const path of ["/", "/status", "/api/run"])
      expect(links).toContain(`https://example.org:81${path}\n`);
    const behind = { ...endpoint("0.0.0.0"), path: "/train", named: "https://train.example" };
    expect(linksOf(behind, "x")).toContain("volunteer  https://train.example/train/\n");
    expect(linksOf(behind, "x")).not.toMatch(/localhost|elsewhere/);
    expect(links).toMatch(/operator\s+https:\/\/example\.org:81\/operator#link=x {2}\(signs in once/);
  });

  it("warns of plain HTTP where others can reach it, and only there", () => {
    expect(insecureWarning(endpoint("0.0.0.0"), false)).toMatch(/withhold WebGPU/);
    expect(insecureWarning(endpoint("192.168.1.5"), false)).toMatch(/--trust-proxy/);
    expect(insecureWarning(endpoint("0.0.0.0"), true)).toBeUndefined();
    expect(insecureWarning(endpoint("0.0.0.0", true), false)).toBeUndefined();
    for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1"]) {
      expect(insecureWarning(endpoint(host), false)).toBeUndefined();
    }
    expect(insecureWarning(endpoint("127.evil.example"), false)).toBeDefined();
  });

  it("asks for a purpose where the run's card names none, and only there", () => {
    expect(purposeLine({ who: "A school" })).toMatch(/does not say what it is for.*\n.*"purpose"/);
    expect(purposeLine({ purpose: "To read" })).toBeUndefined();
  });

  it("is one line a version", () => {
    const status = { ...new FakeService().status(), tokensPerSecond: 9_812 };
    expect(versionLine(published, status)).toBe("version 12: 4 deltas merged, 9.8 ktok/s");
    const at = (version: number) => ({ ...status, heldOut: [{ version, tokens: 1, loss: 4.4 }] });
    expect(versionLine(published, at(12))).toBe(
      "version 12: 4 deltas merged, held-out loss 4.40 (80% of guessing), 9.8 ktok/s",
    );
    expect(versionLine({ ...published, deltas: 1 }, at(11))).toBe(
      "version 12: 1 delta merged, held-out loss 4.40 at version 11 (80% of guessing), 9.8 ktok/s",
    );
  });

  it("has bits a byte where the bytes of the text are known", () => {
    const status = {
      ...{ ...new FakeService().status(), bytesPerToken: 2 },
      heldOut: [{ version: 12, tokens: 1, loss: 2 * Math.LN2 }],
    };
    expect(versionLine(published, status)).toContain(
      "held-out loss 1.39 (1.000 bits a byte, 25% of guessing)",
    );
  });

  it("says once that a run gets worse and what to do, on every line since when, and once that it is over", () => {
    const status = new FakeService().status();
    const watch = new SetbackWatch();
    const points: { version: number; tokens: number; loss: number }[] = [];
    const said: string[] = [];
    const lines: string[] = [];
    for (const loss of [6, 5, ...times(8, 4.4), ...times(10, 5.1), ...times(8, 4.3)]) {
      points.push({ version: points.length, tokens: points.length, loss });
      const now = { ...status, heldOut: [...points] };
      const line = watch.line(now);
      if (line !== undefined) said.push(`${points.length}: ${line}`);
      lines.push(versionLine(published, now));
    }
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(
      /^15: Warning: held-out loss was 4\.40 at version \d and stays at 5\.10: the model is getting worse\.\n/,
    );
    expect(said[0]).toMatch(/lower the learning rate and go back to an earlier version/);
    expect(said[1]).toMatch(/^24: The model learns again/);
    const marked = lines.flatMap((line, i) =>
      /worse than at version \d \(4\.40\)/.test(line) ? [i + 1] : [],
    );
    expect(marked).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23]);
  });
});

const times = (count: number, loss: number) => new Array<number>(count).fill(loss);
