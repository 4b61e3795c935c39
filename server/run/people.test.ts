import { describe, expect, it, vi } from "vitest";
import { lengthOf, toBase64Url, utf8 } from "../../protocol/bytes.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { advance, restart, TestVolunteer, tinyRun, uploadOf } from "../../test/harness/tiny-run.ts";
import { StoreError } from "../store/store.ts";
import { People } from "./people.ts";

const [ann, bob] = await Promise.all([TestVolunteer.create(), TestVolunteer.create()]);
const HOUR = 3_600_000;

describe("names and leaders", () => {
  it("U1: nobody is named, nor listed, before they ask; a name outlives a restart and goes when told to", async () => {
    const tiny = await tinyRun();
    await advance(ann, tiny, 2);
    await advance(bob, tiny, 1);
    expect(tiny.run.leaders()).toEqual([]);
    expect(await tiny.run.rename(ann.identity.key, "  Ann\u00a0 A ")).toBe("Ann A");
    expect(tiny.run.leaders()).toEqual([{ name: "Ann A", tokens: 128, recent: 128 }]);
    const again = await restart(tiny, "drop");
    expect(again.run.leaders()).toEqual([{ name: "Ann A", tokens: 128, recent: 128 }]);
    await again.run.rename(ann.identity.key, null);
    expect(again.run.leaders()).toEqual([]);
    await again.run.close();
  });

  it("U1: a name that could not be taken back on a full disk is taken back by asking again, for good", async () => {
    const tiny = await tinyRun();
    await advance(ann, tiny);
    await tiny.run.rename(ann.identity.key, "Ann");
    tiny.files.capacity = 0;
    await expect(tiny.run.rename(ann.identity.key, null)).rejects.toThrow();
    const kept = Buffer.from((await tiny.options.store.get("run", "people.json")) ?? []).toString();
    expect(kept, "the control").toContain("Ann");
    tiny.files.capacity = Number.POSITIVE_INFINITY;
    await tiny.run.rename(ann.identity.key, null);
    const again = await restart(tiny, "drop");
    expect(again.run.leaders()).toEqual([]);
    await again.run.close();
  });

  it("U2: refuses a name to who has no credit, one that is taken, and one of the banned", async () => {
    const tiny = await tinyRun();
    await expect(tiny.run.rename(ann.identity.key, "Ann")).rejects.toThrow("whose work is in the model");
    await advance(ann, tiny);
    await advance(bob, tiny);
    await tiny.run.rename(ann.identity.key, "Ann");
    await expect(tiny.run.rename(bob.identity.key, "ÁNN.")).rejects.toThrow("somebody has this name");
    expect(await tiny.run.rename(ann.identity.key, "ann")).toBe("ann"); // one's own is no rival
    await tiny.run.rename(bob.identity.key, "Bob");
    await tiny.run.admin.ban(bob.identity.key);
    tiny.clock.ms += 6_000;
    expect(tiny.run.leaders().map(({ name }) => name)).toEqual(["ann"]);
    await expect(tiny.run.rename(bob.identity.key, "Robert")).rejects.toMatchObject({ code: "banned" });
    await tiny.run.admin.forgive(bob.identity.key);
    tiny.clock.ms += 6_000;
    expect(tiny.run.leaders().map(({ name }) => name)).toEqual(["Bob", "ann"]);
    await tiny.run.close();
  });

  it("counts as recent what was sent in the last day of the run clock", async () => {
    const tiny = await tinyRun();
    await advance(ann, tiny, 2);
    tiny.clock.ms += 20 * HOUR;
    await advance(ann, tiny);
    expect(tiny.run.credit(ann.identity.key)).toMatchObject({ tokens: 192, recent: 192 });
    tiny.clock.ms += 10 * HOUR;
    expect(tiny.run.credit(ann.identity.key)).toMatchObject({ tokens: 192, recent: 64 });
    await tiny.run.close();
  });
});

describe("one's data", () => {
  it("U3: tells a volunteer all that is held about it, and of nobody else", async () => {
    const tiny = await tinyRun();
    await advance(ann, tiny);
    await advance(bob, tiny);
    await tiny.run.rename(ann.identity.key, "Ann");
    const waiting = await ann.send(tiny.run, uploadOf(await ann.ticket(tiny.run)));
    tiny.run.volunteers.witness = { seen: () => ({ device: "phone" }), forget() {} };
    const data = tiny.run.dataOf(ann.identity.key);
    expect(data).toMatchObject({
      volunteer: ann.identity.key,
      name: "Ann",
      credit: { tokens: 64, merged: 2, pending: 1 },
      seen: { device: "phone" },
    });
    expect(data.deltas).toHaveLength(3);
    expect(data.deltas.find(({ ticket }) => ticket === waiting.ticket)).not.toHaveProperty("merged");
    expect(data.deltas.filter(({ merged }) => merged === 1)).toHaveLength(2);
    expect(JSON.stringify(data)).not.toContain(bob.identity.key);
    await tiny.run.close();
  });

  it("U4: forgets name, credit and what memory holds, for good; the record of the version stays", async () => {
    const tiny = await tinyRun();
    await advance(ann, tiny);
    await tiny.run.rename(ann.identity.key, "Ann");
    const gone: string[] = [];
    tiny.run.volunteers.witness = { seen: () => undefined, forget: (volunteer) => gone.push(volunteer) };
    await tiny.run.forget(ann.identity.key);
    expect(gone).toEqual([ann.identity.key]);
    const again = await restart(tiny, "drop");
    for (const { run } of [tiny, again]) {
      expect(run.leaders()).toEqual([]);
      expect(run.credit(ann.identity.key)).toEqual({
        tokens: 0,
        recent: 0,
        merged: 0,
        pending: 0,
        refused: 0,
      });
      expect(run.dataOf(ann.identity.key).name).toBeNull();
    }
    const { merged } = await again.run.versionRecord(1);
    expect(merged.map(({ volunteer }) => volunteer)).toContain(ann.identity.key);
    await again.run.close();
  });

  it("keeps nothing for a key that never sent anything, so that nobody fills the disk with such", async () => {
    const tiny = await tinyRun();
    await tiny.run.forget(ann.identity.key);
    const files = async () =>
      (await tiny.options.store.list("run")).filter((name) => name.startsWith("forgotten"));
    expect(await files()).toEqual([]);
    await advance(ann, tiny);
    await tiny.run.forget(ann.identity.key);
    expect(await files()).toHaveLength(1);
    await tiny.run.close();
  });

  const keyOf = (n: number) => toBase64Url(new Uint8Array(new Uint32Array(8).fill(n).buffer)) as VolunteerKey;

  it("A29, U4: what cannot be kept is refused, and what was promised is kept, also of an earlier version's file", async () => {
    const { store } = (await tinyRun()).options;
    const early = [keyOf(1), keyOf(2)];
    await store.put("run", "people.json", utf8(JSON.stringify({ names: {}, forgotten: early })));
    const people = await People.open(store, 4);
    for (const n of [1, 2]) expect(people.isForgotten(keyOf(n))).toBe(true);
    await people.forget(keyOf(300));
    await people.rename(keyOf(5), "Ann");
    await people.forget(keyOf(400));
    await expect(people.forget(keyOf(500))).rejects.toMatchObject({ code: "no-space" });
    expect(people.isForgotten(keyOf(500))).toBe(false);
    await people.forget(keyOf(300)); // who is forgotten already may say so again
    const again = await People.open(store, 4);
    for (const n of [1, 2, 300, 400]) expect(again.isForgotten(keyOf(n)), String(n)).toBe(true);
    expect(again.isForgotten(keyOf(500))).toBe(false);
    expect(again.nameOf(keyOf(5))).toBe("Ann");
  });

  it("A29, U4: with 100,000 forgotten, ninety at once write a hundredth of them each at most, and a key's repeats next to nothing", {
    timeout: 120_000, // a hundred thousand promises
  }, async () => {
    const { store } = (await tinyRun()).options;
    const early = Array.from({ length: 100_000 }, (_, n) => keyOf(n));
    const people = await People.open(store);
    await Promise.all(early.map((key) => people.forget(key)));
    const put = vi.spyOn(store, "put");
    const written = () => put.mock.calls.reduce((sum, [, , bytes]) => sum + lengthOf(bytes), 0);
    const whole = JSON.stringify(early).length;
    await Promise.all(Array.from({ length: 90 }, () => people.forget(keyOf(7))));
    expect(put.mock.calls.length).toBeLessThanOrEqual(2); // those who come while one is written share the next
    expect(written()).toBeLessThan(whole / 10);
    expect(whole).toBeGreaterThan(4_000_000); // the control: what every one of them wrote before
    put.mockRestore();
    const again = await People.open(store);
    expect(early.every((key) => again.isForgotten(key))).toBe(true);
  });

  it("U2: names of an earlier version stay with whom they belong to, and none that cannot be seen is listed", async () => {
    const { store } = (await tinyRun()).options;
    const names = { [keyOf(1)]: "Ann", [keyOf(2)]: "Ann\u3164", [keyOf(3)]: "Bob" };
    await store.put("run", "people.json", utf8(JSON.stringify({ names, forgotten: [] })));
    const people = await People.open(store);
    const list = people.leaders(
      0,
      () => ({ tokens: 1, recent: 1 }),
      () => false,
    );
    expect(list.map(({ name }) => name)).toEqual(["Ann", "Bob"]);
    expect(people.nameOf(keyOf(2))).toBe("Ann\u3164");
    await expect(people.rename(keyOf(4), "\u0410nn")).rejects.toThrow("somebody has this name");
    await people.rename(keyOf(1), null);
    expect(await people.rename(keyOf(4), "B0lo")).toBe("B0lo"); // the control
  });

  it("a damaged file is refused with an error, not replaced", async () => {
    const tiny = await tinyRun();
    await tiny.options.store.put("run", "people.json", utf8('{"names":{"x":"y"},"forgotten":[]}'));
    await expect(restart(tiny, "drop")).rejects.toThrow(StoreError);
  });
});
