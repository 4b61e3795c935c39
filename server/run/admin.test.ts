import { expect, test } from "vitest";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { eventLogOver, settled } from "../../test/harness/event-log.ts";
import { Admin } from "./admin.ts";

/** An operator's actions on a run that keeps everything at once, and has these versions stored whole. */
function adminOver(stored: readonly number[] = []) {
  const { log, appends, applied, clock } = eventLogOver();
  const [noted, back]: [boolean[], number[]] = [[], []];
  let drained = false;
  const drain = {
    on: false,
    set: async (on: boolean) => {
      drain.on = on;
      noted.push(on);
    },
  };
  const run = {
    ...{ events: log, clock, versions: { stored: stored.map((version) => ({ version })) } },
    get state() {
      return log.state;
    },
    get drained() {
      return drained;
    },
    publisher: { rollBack: async (version: number) => void back.push(version) },
  };
  const admin = new Admin(run as never, drain as never, { store: {} as never });
  /** Has what is asked for kept. */
  const kept = async <T>(asked: Promise<T>): Promise<T> => {
    await settled();
    for (const [i, append] of appends.entries()) append.resolve(i);
    return asked;
  };
  return { admin, kept, applied, noted, back, empty: () => (drained = true) };
}

test("a run that is drained pauses at the next tick, and not before its last ticket is back", async () => {
  const { admin, kept, applied, noted, empty } = adminOver();
  await admin.drain();
  expect(admin.draining).toBe(true);
  admin.tick();
  expect(applied).toEqual([]);
  empty();
  admin.tick();
  await kept(settled());
  await settled();
  expect([applied, noted, admin.draining]).toEqual([["paused"], [true, false], false]);
});

test("what a run is already, it does not become again; a finished one stays finished", async () => {
  const { admin, kept, applied } = adminOver();
  await kept(admin.resume());
  await kept(admin.finish());
  await kept(admin.pause());
  await kept(admin.resume());
  expect(applied).toEqual(["finished"]);
});

test("a roll-back is to a version that is stored whole, of which the newest is named first", async () => {
  const { admin, back } = adminOver([0, 4, 8]);
  expect(admin.snapshots).toEqual([8, 4, 0]);
  await expect(admin.rollback(5)).rejects.toMatchObject({ code: "not-found" });
  await admin.rollback(4);
  expect(back).toEqual([4]);
});

test("a volunteer that is banned and forgiven is so in the journal", async () => {
  const { admin, kept, applied } = adminOver();
  const volunteer = "v".repeat(43) as VolunteerKey;
  await kept(admin.ban(volunteer));
  await kept(admin.forgive(volunteer));
  expect(applied).toEqual(["ruled", "ruled"]);
});
