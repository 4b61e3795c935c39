import { describe, expect, it } from "vitest";
import {
  advance,
  silentLog,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { type Alert, type AlertInputs, alertsOf } from "./alerts.ts";
import { Webhook } from "./webhook.ts";

function measured(...losses: number[]): AlertInputs["heldOut"] {
  return losses.map((loss, version) => ({ version, tokens: version, loss }));
}

/** How often so many senders were refused, each so many times. */
const refusedOf = (senders: number, times: number) =>
  new Map(Array.from({ length: senders }, (_, i) => [`sender ${i}`, times]));

const FINE: AlertInputs = {
  state: "running",
  waitedMs: 1_000,
  heldOut: measured(5, 4),
  uniform: 6.2,
  lately: { merged: 100, refused: refusedOf(3, 1) },
  freeBytes: 50e9,
  madeUp: false,
};

describe("alerts", () => {
  it("are silent while all is well", () => expect(alertsOf(FINE)).toEqual([]));

  it.each<[Alert["kind"], Partial<AlertInputs>]>([
    ["diverging", { heldOut: measured(...new Array(8).fill(4), ...new Array(8).fill(4.6)) }],
    ["diverging", { heldOut: measured(...new Array(8).fill(6.8)) }],
    ["stalled", { waitedMs: 6 * 60_000 }],
    ["refusals", { lately: { merged: 10, refused: refusedOf(3, 8) } }],
    ["disk", { freeBytes: 1e9 }],
    ["proxy", { madeUp: true }],
  ])("say %s", (kind, changes) => {
    expect(alertsOf({ ...FINE, ...changes }).map((alert) => alert.kind)).toEqual([kind]);
  });

  it.each<[string, Partial<AlertInputs>]>([
    ["a paused run makes no versions", { state: "paused", waitedMs: 9e6 }],
    ["a version or two come out badly", { heldOut: measured(...new Array(8).fill(4), 9, 9) }],
    ["a few refusals are no spike", { lately: { merged: 0, refused: refusedOf(19, 1) } }],
    ["one sender is refused again and again", { lately: { merged: 0, refused: refusedOf(1, 10_000) } }],
    ["two senders are", { lately: { merged: 0, refused: refusedOf(2, 10_000) } }],
  ])("do not cry: %s", (_, changes) => expect(alertsOf({ ...FINE, ...changes })).toEqual([]));

  /** What the operator is told of a run after a look, as the alerts are gathered. */
  const inputsOf = ({ run }: TinyRun): AlertInputs => ({
    ...FINE,
    heldOut: run.status().heldOut,
    uniform: run.status().baselines.uniform,
    waitedMs: run.waitedMs,
    lately: { merged: 0, refused: run.volunteers.refusedOfKnown() },
  });

  it("A28: are not raised by what one stranger reports, asks for and lets lie, or has refused", async () => {
    const tiny = await tinyRun();
    const [honest, stranger] = [await TestVolunteer.create(), await TestVolunteer.create()];
    await advance(honest, tiny);
    const wild = uploadOf(await stranger.ticket(tiny.run));
    await stranger.send(tiny.run, { ...wild, report: { ...wild.report, loss: 1e6 } });
    for (let n = 0; n < 50; n++) {
      tiny.run.countRefusal("bad-signature");
      await expect(
        stranger.send(tiny.run, { ...wild, report: { ...wild.report, loss: n } }),
      ).resolves.toBeDefined();
    }
    const other = await TestVolunteer.create();
    for (let n = 0; n < 50; n++) await expect(other.send(tiny.run, wild)).rejects.toThrow();
    expect(alertsOf(inputsOf(tiny))).toEqual([]);
    await tiny.run.close();
  });

  it("A28: say of a run that is stalled only where work waits, and not where volunteers ask and send nothing", async () => {
    const tiny = await tinyRun({ settings: tinySettings({ quorum: 3 }) });
    const asking = await TestVolunteer.create();
    await asking.ticket(tiny.run);
    tiny.clock.ms += 6 * 60_000;
    await asking.ticket(tiny.run);
    expect(alertsOf(inputsOf(tiny))).toEqual([]);
    await asking.send(tiny.run, uploadOf(await asking.ticket(tiny.run)));
    tiny.clock.ms += 6 * 60_000; // and nobody ticks: a server that makes no versions any more
    expect(alertsOf(inputsOf(tiny)).map(({ kind }) => kind)).toEqual(["stalled"]);
    await tiny.run.close();
  });
});

describe("the webhook", () => {
  it("tells once when an alert begins and once when it is over", async () => {
    const sent: unknown[] = [];
    const hook = new Webhook(new URL("https://chat.example/hook"), silentLog, async (_, init) => {
      sent.push(JSON.parse(String(init?.body)));
      return new Response();
    });
    const alert: Alert = { kind: "disk", message: "the disk has 1.0 GB left" };
    for (const alerts of [[], [alert], [alert], [], []]) await hook.tell("a run", alerts);
    expect(sent).toEqual([
      { run: "a run", alert: "disk", state: "begun", text: "a run: the disk has 1.0 GB left" },
      { run: "a run", alert: "disk", state: "over", text: "a run: over: the disk has 1.0 GB left" },
    ]);
  });

  it("keeps going when nobody answers", async () => {
    const hook = new Webhook(new URL("https://chat.example/hook"), silentLog, () =>
      Promise.reject(new Error()),
    );
    await expect(hook.tell("a run", [{ kind: "disk", message: "" }])).resolves.toBeUndefined();
  });
});
