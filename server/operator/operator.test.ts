import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { advance, silentLog, TestVolunteer, tinyRun, until } from "../../test/harness/tiny-run.ts";
import { operatorLinkCommand } from "../cli/operator.ts";
import { AuditLog } from "./audit-log.ts";
import { Curves } from "./curves.ts";
import { HostStats } from "./host-stats.ts";
import { issueLink, LINK_MS, noteAddress, redeemLink } from "./link.ts";
import { OperatorService } from "./operator-service.ts";
import { Presence } from "./presence.ts";
import { Sites } from "./sites.ts";
import { Speeds } from "./speeds.ts";
import { Traffic } from "./traffic.ts";
import { Webhook } from "./webhook.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-operator-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("a one-time link", () => {
  it("signs in once, and only with its own secret", async () => {
    const secret = await issueLink(directory, "Ann", 0);
    expect(await redeemLink(directory, `${secret}x`, 0)).toBeUndefined();
    const both = await Promise.all([redeemLink(directory, secret, 1), redeemLink(directory, secret, 1)]);
    expect(both.filter((name) => name === "Ann")).toHaveLength(1);
    expect(await redeemLink(directory, secret, 1)).toBeUndefined();
  });

  it("is worth nothing after its time, or once another was issued", async () => {
    const late = await issueLink(directory, "Ann", 0);
    expect(await redeemLink(directory, late, LINK_MS)).toBeUndefined();
    const first = await issueLink(directory, "Ann", 0);
    const second = await issueLink(directory, "Ann", 0);
    expect(await redeemLink(directory, first, 1)).toBeUndefined();
    expect(await redeemLink(directory, second, 1)).toBe("Ann");
  });

  it("leaves no secret on the disk, and a file that only its owner reads", async () => {
    const secret = await issueLink(directory, "Ann", 0);
    const file = join(directory, "operator-link.json");
    expect(await readFile(file, "utf8")).not.toContain(secret);
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("is printed again by a command, which needs a run's directory", async () => {
    const out: string[] = [];
    const io = { stdout: { write: (text: string) => out.push(text) }, stderr: { write() {} } };
    expect(await operatorLinkCommand([directory], io)).toBe(1);
    expect(await operatorLinkCommand([directory, "--origin", "javascript:x"], io)).toBe(2);
    expect(out).toEqual([]);
    await noteAddress(directory, "http://localhost:8080");
  });
});

describe("the log of who did what", () => {
  it("is read back, less a line that a crash cut off", async () => {
    const log = await AuditLog.open(directory);
    await log.add({ at: "2026-01-01T00:00:00.000Z", who: "Ann", action: "pause" });
    await log.add({ at: "2026-01-01T00:00:01.000Z", who: "Ann", action: "start" });
    const file = join(directory, "operator-log.jsonl");
    await writeFile(file, `${await readFile(file, "utf8")}{"at":"2026`);
    expect((await AuditLog.open(directory)).entries.map(({ action }) => action)).toEqual(["start", "pause"]);
  });
});

describe("who is here", () => {
  const key = (n: number) => String(n).padEnd(43, "k") as VolunteerKey; // an example needs no real key

  it("is counted by our own names alone, for a minute", () => {
    let now = 0;
    const presence = new Presence(() => now);
    const chrome = "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537 Chrome/140 Mobile Safari/537";
    presence.asked(key(1), chrome);
    presence.trained(key(1), "webgpu, Adreno");
    presence.asked(key(2), "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140");
    presence.trained(key(2), "<b>evil</b>");
    presence.asked(key(3), "node");
    presence.asked(key(4), "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537 HeadlessChrome/140 Safari/537");
    expect(presence.here()).toEqual({
      device: { phone: 1, computer: 2, program: 1 },
      browser: { Chrome: 2, Edge: 1, Node: 1 },
      backend: { webgpu: 1, other: 1, unknown: 2 },
    });
    now = 60_001;
    expect(presence.here().browser).toEqual({});
  });
});

describe("a run's history", () => {
  it("is gathered from the journal, the same when it is read again", async () => {
    const curves = new Curves();
    const tiny = await tinyRun({ observe: (event, ended) => curves.observe(event, ended) });
    const volunteer = await TestVolunteer.create();
    await advance(volunteer, tiny, 3);
    await until(() => curves.versions.length === 3);
    expect(
      curves.versions.map(({ version, tokens, deltas, loss }) => [version, tokens, deltas, loss]),
    ).toEqual([
      [1, 64, 2, 2],
      [2, 128, 2, 2],
      [3, 192, 2, 2],
    ]);
    expect(curves.staleness).toEqual([6, 0, 0, 0, 0]);
    await tiny.run.close();
    const again = new Curves();
    await tinyRun({
      files: tiny.files,
      clock: tiny.clock,
      observe: (event, ended) => again.observe(event, ended),
    });
    expect(again.versions).toEqual(curves.versions);
  });

  it("counts with a version what was refused or discarded since the one before, once", () => {
    const curves = new Curves();
    let refused = 0;
    curves.refused = () => refused;
    const volunteer = "v".repeat(43) as VolunteerKey;
    const hash = "0".repeat(64) as Hash;
    const ids = (names: readonly string[]) => names.map((name) => name as TicketId);
    const accept = (version: number, ...names: string[]) => {
      for (const ticket of ids(names)) {
        const report = { loss: 2, trainMs: 5, device: "test" };
        const delta = { ticket, volunteer, delta: hash, version, tokens: 64, position: 0, took: 1, report };
        curves.observe({ type: "accepted", at: 1, ...delta }, []);
      }
    };
    const make = (version: number, names: readonly string[], dropped: readonly string[] = []) => {
      const merged = ids(names).map((ticket) => ({ ticket, weight: 1 }));
      const discarded = ids(dropped);
      const ended = (tickets: readonly TicketId[], into: number | null) =>
        tickets.map((ticket) => ({ ticket, version: into, ...(ticket === "newcomer's" && { tokens: 3 }) }));
      curves.observe(
        { type: "closed", at: 2, version: version - 1, merged, discarded },
        ended(discarded, null),
      );
      const seal = { record: hash, signature: "s" as Signature };
      const published = { version, hash, diff: hash, diffBytes: 1, ...seal };
      curves.observe({ type: "published", at: 3, ...published }, ended(ids(names), version));
    };
    accept(0, "a", "b", "c", "waits");
    refused = 2;
    make(1, ["a", "b"], ["c"]);
    make(2, ["waits"]);
    accept(2, "bad", "good");
    const ticket = "bad" as TicketId;
    const audited = { type: "audited", at: 4, ticket, volunteer, verdict: "bad", reason: "harm" } as const;
    curves.observe(audited, [{ ticket, version: null }]);
    make(3, ["good"]);
    accept(3, "newcomer's");
    make(4, ["newcomer's"]);
    expect(curves.versions.map(({ deltas, came }) => [deltas, came])).toEqual([
      [2, 5],
      [1, 1],
      [1, 2],
      [1, 1],
    ]);
    // As the run counts them: of a newcomer's delta only what is merged.
    expect(curves.versions.map(({ tokens }) => tokens)).toEqual([128, 192, 256, 259]);
    expect(curves.versions.at(-1)?.loss).toBe(2);
  });
});

describe("an operator's view", () => {
  it("A26: goes on when its disk cannot be asked, and says so", async () => {
    const warnings: string[] = [];
    const { run } = await tinyRun();
    const traffic = new Traffic(() => 0);
    const service = new OperatorService({
      ...{ run, directory, traffic, curves: new Curves(), presence: new Presence(() => 0) },
      sites: await Sites.open(directory, [], () => 0),
      speeds: await Speeds.open(directory, () => 0),
      machine: new HostStats(join(directory, "gone"), { read: () => ({ p50: 0, p99: 0 }) }),
      log: await AuditLog.open(directory),
      webhook: undefined,
      errors: { warn: (_, message) => void warnings.push(message) },
      wallClock: () => 0,
    });
    await expect(service.look()).rejects.toThrow(/ENOENT/); // the control: what would end the process
    service.open();
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    service.close();
  });

  it("shows what is wrong with the run's cluster, and tells the webhook", async () => {
    const { run } = await tinyRun();
    const told: unknown[] = [];
    const service = new OperatorService({
      ...{
        run,
        directory,
        traffic: new Traffic(() => 0),
        curves: new Curves(),
        presence: new Presence(() => 0),
      },
      sites: await Sites.open(directory, [], () => 0),
      speeds: await Speeds.open(directory, () => 0),
      machine: new HostStats(directory, { read: () => ({ p50: 0, p99: 0 }) }),
      log: await AuditLog.open(directory),
      webhook: new Webhook(new URL("http://chat.example"), silentLog, async (_, init) => {
        told.push(JSON.parse(String(init?.body)));
        return new Response();
      }),
      cluster: { alerts: [{ kind: "node", message: "n2 is away" }] },
      ...{ errors: silentLog, wallClock: () => 0 },
    });
    await service.look();
    expect((await service.overview()).alerts).toContain("n2 is away");
    expect(told).toContainEqual(expect.objectContaining({ alert: "node", state: "begun" }));
    await run.close();
  });
});
