import { describe, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { parseSpeedTable, plainAdapter, type Speed } from "../../protocol/speeds.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { advance, TestVolunteer, tinyRun } from "../../test/harness/tiny-run.ts";
import type { SpeedsPort } from "./speeds.ts";

const SPEED = {
  device: "webgpu",
  adapter: "acme one",
  software: false,
  size: "small",
  tokensPerSecond: 1_000,
  ofPeak: 0.2,
} as const satisfies Speed;

function port(taken = true) {
  const added: Speed[] = [];
  const speeds: SpeedsPort = {
    taken,
    add: (sent) => void added.push(...sent),
    table: () => ({ taken, rows: added.map((one) => ({ ...one, times: 1 })) }),
  };
  return { added, speeds };
}

const posted = (body: unknown, type = "application/json"): RequestInit => ({
  method: "POST",
  headers: { "content-type": type },
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const codeOf = async (answer: Response) => (answer.ok ? "taken" : (await answer.json()).error.code);

describe("M5: measurements", () => {
  it("come from anyone, and are shown to anyone", async () => {
    const { added, speeds } = port();
    const app = edge(new FakeService(), { speeds });
    const both = [SPEED, { ...SPEED, device: "wasm" as const, adapter: "4 threads", ofPeak: null }];
    expect(await codeOf(await app.request(ROUTES.speeds, posted({ speeds: both, name: "Ann" })))).toBe(
      "taken",
    );
    expect(added).toEqual(both);
    expect(parseSpeedTable(await (await app.request(ROUTES.speeds)).json()).rows).toHaveLength(2);
  });

  it.each<[string, unknown, string]>([
    ["none", { speeds: [] }, "bad-request"],
    ["three", { speeds: [SPEED, SPEED, SPEED] }, "bad-request"],
    ["an adapter of many characters", { speeds: [{ ...SPEED, adapter: "x".repeat(121) }] }, "bad-request"],
    ["an adapter that is no plain text", { speeds: [{ ...SPEED, adapter: "a\u202eb" }] }, "bad-request"],
    ["an adapter that is empty", { speeds: [{ ...SPEED, adapter: "" }] }, "bad-request"],
    ["more than any device can", { speeds: [{ ...SPEED, tokensPerSecond: 1e10 }] }, "bad-request"],
    ["a share of nothing", { speeds: [{ ...SPEED, ofPeak: -0.1 }] }, "bad-request"],
    ["another model", { speeds: [{ ...SPEED, size: "huge" }] }, "bad-request"],
    ["another device", { speeds: [{ ...SPEED, device: "abacus" }] }, "bad-request"],
    ["no JSON", "{", "bad-json"],
    ["a large body", { speeds: [{ ...SPEED, adapter: "x".repeat(20_000) }] }, "too-large"],
  ])("are refused: %s", async (_, body, code) => {
    const { added, speeds } = port();
    const app = edge(new FakeService(), { speeds });
    expect(await codeOf(await app.request(ROUTES.speeds, posted(body)))).toBe(code);
    expect(added).toEqual([]);
  });

  it("are not taken from a form of another site, nor where the operator wants none, nor where there is no table", async () => {
    const { added, speeds } = port();
    const form = posted({ speeds: [SPEED] }, "text/plain");
    expect(await codeOf(await edge(new FakeService(), { speeds }).request(ROUTES.speeds, form))).toBe(
      "unknown-type",
    );
    const sent = posted({ speeds: [SPEED] });
    const closed = edge(new FakeService(), { speeds: port(false).speeds });
    expect(await codeOf(await closed.request(ROUTES.speeds, sent))).toBe("not-found");
    expect((await (await closed.request(ROUTES.speeds)).json()).taken).toBe(false);
    expect(await codeOf(await edge(new FakeService()).request(ROUTES.speeds, sent))).toBe("not-found");
    expect(added).toEqual([]);
  });

  it("come a few at a time from one network; others are not held up by it", async () => {
    const { added, speeds } = port();
    let now = 0;
    const app = edge(new FakeService(), { speeds, proxies: 1, now: () => now });
    const from = async (address: string) => {
      const { headers, ...rest } = posted({ speeds: [SPEED] });
      return codeOf(
        await app.request(ROUTES.speeds, { ...rest, headers: { ...headers, "x-forwarded-for": address } }),
      );
    };
    const codes = [];
    for (let i = 0; i < 10; i++) codes.push(await from(`203.0.113.${i}`));
    expect(codes).toEqual([...Array(6).fill("taken"), ...Array(4).fill("too-many-requests")]);
    expect(await from("198.51.100.1")).toBe("taken");
    now += 600_000;
    expect(await from("203.0.113.1")).toBe("taken");
    expect(added).toHaveLength(8);
  });

  it("change nobody's training: the same deltas make the same version and the same ticket, whatever was claimed", async () => {
    const versionAfter = async (lies: boolean) => {
      const tiny = await tinyRun();
      const { added, speeds } = port();
      const app = edge(tiny.run, { speeds });
      const claims = { speeds: [{ ...SPEED, tokensPerSecond: 1e9, ofPeak: 2 }] };
      if (lies) expect(await codeOf(await app.request(ROUTES.speeds, posted(claims)))).toBe("taken");
      const before = tiny.run.status().deltas;
      await advance(await TestVolunteer.create(), tiny);
      expect(added).toHaveLength(lies ? 1 : 0);
      const { modelHash, version, deltas } = tiny.run.status();
      return { modelHash, version, deltas, before };
    };
    expect(await versionAfter(true)).toEqual(await versionAfter(false));
  });
});

it("an adapter's words become plain text that the server takes", () => {
  expect(plainAdapter("Acme\n  Größe™ One")).toBe("Acme Gr e One");
  expect(plainAdapter("\u202e")).toBe("unknown");
  expect(plainAdapter("x".repeat(500))).toHaveLength(120);
});
