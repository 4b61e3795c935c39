import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { memoryCache } from "../client/cache/cache.ts";
import { F32 } from "../protocol/codec/codec.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { encodeFrame, FRAME_HEADER_BYTES } from "../protocol/frame.ts";
import {
  advance,
  deltaOf,
  REPORT,
  restart,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "./harness/tiny-run.ts";
import { ToyServer } from "./harness/toy-run.ts";
import { visit } from "./harness/visit.ts";

/** Threats of docs/SECURITY.md that no one room answers alone, against a whole run. */
const volunteer = await TestVolunteer.create();
afterEach(() => vi.restoreAllMocks());

describe("A7: numbers that are none, and vectors that do not fit", () => {
  const f32At = (place: number, value: number) => {
    const frame = encodeFrame(F32, deltaOf(1));
    new DataView(frame.buffer).setFloat32(FRAME_HEADER_BYTES + 4 * place, value, true);
    return frame;
  };
  test.each<[string, ErrorCode, Uint8Array<ArrayBuffer>]>([
    ["NaN", "not-finite", f32At(3, Number.NaN)],
    ["infinity", "not-finite", f32At(9, Number.NEGATIVE_INFINITY)],
    ["a huge scale", "norm-too-large", f32At(0, 1e30)],
    ["another shape", "wrong-shape", encodeFrame(F32, new Float32Array(9))],
    ["another codec", "wrong-codec", encodeFrame({ name: "dense", bits: 4 }, deltaOf(1))],
  ])("%s: %s, and the model is what it was", async (_, code, frame) => {
    const tiny = await tinyRun({ settings: tinySettings({ quorum: 1 }) });
    const { modelHash } = tiny.run.status();
    const ticket = await volunteer.ticket(tiny.run);
    await expect(volunteer.send(tiny.run, { ticket, report: REPORT, frame })).rejects.toMatchObject({ code });
    tiny.clock.ms += 60_000;
    tiny.run.tick();
    const again = await restart(tiny);
    expect(again.run.status()).toMatchObject({ version: 0, modelHash });
    // The control: a sound one changes it.
    await volunteer.contribute(again.run);
    await until(() => again.run.status().version === 1);
    expect(again.run.status().modelHash).not.toBe(modelHash);
    await again.run.close();
  });
});

test("A8: sent again versions later, and after a restart, an upload is counted once and gets its receipt", async () => {
  const tiny = await tinyRun();
  const upload = uploadOf(await volunteer.ticket(tiny.run));
  const receipt = await volunteer.send(tiny.run, upload);
  await volunteer.contribute(tiny.run, deltaOf(2));
  await until(() => tiny.run.status().version === 1);
  await advance(volunteer, tiny, 6);
  const { merged } = tiny.run.credit(volunteer.identity.key);
  expect(await volunteer.send(tiny.run, upload)).toEqual(receipt);
  const again = await restart(tiny);
  expect(await volunteer.send(again.run, upload)).toEqual(receipt);
  expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged, pending: 0 });
  // The control: the same bytes for another ticket are another delta.
  const other = { ...upload, ticket: await volunteer.ticket(again.run) };
  expect((await volunteer.send(again.run, other)).delta).toBe(receipt.delta);
  expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged, pending: 1 });
  await again.run.close();
});

test("A13: nothing that serves opens a connection, but to an address that its operator gave", () => {
  const asks = /[=(,]\s*fetch\s*[,);]|[^.\w]fetch\(|new (WebSocket|EventSource)\b/;
  const dials =
    /import \{[^}]*\b(connect|request|get|lookup|resolve)\b[^}]*\} from "node:(net|http|https|http2|tls|dns)/;
  const server = join(import.meta.dirname, "../server");
  const opening = readdirSync(server, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => {
      const code = readFileSync(join(server, name), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      return asks.test(code) || dials.test(code);
    });
  // Each asks an address of the operator: to export, to mirror, to alert, whether a node syncs what it acknowledges, or to read a
  // text from, by names that are resolved to public addresses. That they are found here shows that the search finds.
  expect(opening.sort()).toEqual([
    "cli/export.ts",
    "mirror/bucket-target.ts",
    "net/public-address.ts",
    "operator/webhook.ts",
    "setup/fetched-text.ts",
    "setup/text-service.ts",
    "store/monitored-node.ts",
  ]);
});

describe("A20: a wall clock that is wrong by a day", () => {
  const DAY_MS = 24 * 60 * 60 * 1_000;

  test.each([DAY_MS, -DAY_MS])("on the server, by %d ms: leases go by the run's own", async (wrong) => {
    const tiny = await tinyRun({ settings: tinySettings({ leaseSeconds: 60 }) });
    const [early, late] = [await volunteer.ticket(tiny.run), await volunteer.ticket(tiny.run)];
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + wrong);
    tiny.clock.ms += 59_000;
    await volunteer.send(tiny.run, uploadOf(early));
    // The control: its own clock does end a lease.
    tiny.clock.ms += 2_000;
    await expect(volunteer.send(tiny.run, uploadOf(late))).rejects.toMatchObject({ code: "lease-expired" });
    await tiny.run.close();
  });

  test.each([DAY_MS, -DAY_MS])("on the volunteer's side, by %d ms: it trains and sends", async (wrong) => {
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + wrong);
    const server = await ToyServer.open();
    expect(await visit(server, memoryCache()).until("sent", 3)).toBe("stopped");
    expect(server.uploads).toHaveLength(3);
  });
});
