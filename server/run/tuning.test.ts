import { beforeEach, describe, expect, it } from "vitest";
import {
  advance,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { SettingsError } from "./settings.ts";

let tiny: TinyRun;
let volunteer: TestVolunteer;
beforeEach(async () => {
  tiny = await tinyRun();
  volunteer = await TestVolunteer.create();
});

describe("a setting changed while the run is served", () => {
  it("decides from the next closing on, and after a restart", async () => {
    await tiny.run.admin.tune({ quorum: 3 });
    await volunteer.contribute(tiny.run);
    await volunteer.contribute(tiny.run);
    expect(tiny.run.status().version).toBe(0); // two were enough before
    await volunteer.contribute(tiny.run);
    await until(() => tiny.run.status().version === 1);
    await tiny.run.close();
    const again = await restart(tiny);
    expect(again.run.admin.tuning.quorum).toBe(3);
    expect(again.run.status().version).toBe(1);
  });

  it("reaches tickets' rates and the budget", async () => {
    const before = await volunteer.ticket(tiny.run);
    await tiny.run.admin.tune({ learningRate: 0.25 });
    const after = await volunteer.ticket(tiny.run);
    expect(after.rates[0]).toBeCloseTo(before.rates[0]! / 2, 6);
    await tiny.run.admin.tune({ tokenBudget: 64 });
    expect(tiny.run.status().tokenBudget).toBe(64);
  });

  it("is refused where a run file's would be, and changes nothing", async () => {
    await expect(tiny.run.admin.tune({ quorum: 0 })).rejects.toThrow(SettingsError);
    await expect(tiny.run.admin.tune({ quorum: 1.5, tokenBudget: 5 })).rejects.toThrow(SettingsError);
    const seed: object = { seed: 9 };
    await expect(tiny.run.admin.tune(seed)).rejects.toThrow(/cannot change: seed/);
    expect(tiny.run.admin.tuning).toMatchObject({ quorum: 2, tokenBudget: 20_000_000 });
  });
});

describe("draining", () => {
  it("gives no ticket, takes what is out, and then pauses", async () => {
    const ticket = await volunteer.ticket(tiny.run);
    await tiny.run.admin.drain();
    expect(tiny.run.admin.draining).toBe(true);
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-paused" });
    tiny.run.tick();
    expect(tiny.run.status().state).toBe("running");
    await volunteer.send(tiny.run, uploadOf(ticket));
    tiny.clock.ms += 60_000; // past the deadline for a quorum that will not come
    await until(() => {
      tiny.run.tick();
      return tiny.run.status().state === "paused";
    });
    expect(tiny.run.status().version).toBe(1);
    expect(tiny.run.admin.draining).toBe(false);
    await tiny.run.admin.resume();
    expect(tiny.run.status().state).toBe("running");
  });

  it.each([
    ["outlives a restart, and ends in a pause", true, "paused"],
    ["that was taken back does not: the control", false, "running"],
  ])("%s", async (_, drains, state) => {
    await volunteer.ticket(tiny.run);
    await tiny.run.admin.drain();
    if (!drains) await tiny.run.admin.resume();
    const again = await restart(tiny);
    if (drains) await expect(volunteer.ticket(again.run)).rejects.toMatchObject({ code: "run-paused" });
    else await expect(volunteer.ticket(again.run)).resolves.toBeDefined();
    await until(() => {
      again.run.tick();
      return again.run.status().state === state;
    });
    const third = await restart(again);
    expect(third.run.status().state).toBe(state);
    await third.run.admin.resume();
    await expect(volunteer.ticket(third.run)).resolves.toBeDefined();
  });

  it("is taken back by a start", async () => {
    await tiny.run.admin.drain();
    await tiny.run.admin.resume();
    await expect(volunteer.ticket(tiny.run)).resolves.toBeDefined();
  });
});

it("an operator sees which versions are stored whole", async () => {
  await advance(volunteer, tiny, 3);
  await until(() => tiny.run.admin.snapshots.length === 2);
  expect(tiny.run.admin.snapshots).toEqual([3, 0]);
});

it("a finished run takes and gives nothing more", async () => {
  await tiny.run.admin.finish();
  await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-finished" });
  await tiny.run.admin.resume();
  expect(tiny.run.status().state).toBe("finished");
});
