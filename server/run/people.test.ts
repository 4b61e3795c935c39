import { describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { advance, restart, TestVolunteer, tinyRun, uploadOf } from "../../test/harness/tiny-run.ts";
import { StoreError } from "../store/store.ts";

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

  it("U2: refuses a name to who has no credit, one that is taken, and one of the banned", async () => {
    const tiny = await tinyRun();
    await expect(tiny.run.rename(ann.identity.key, "Ann")).rejects.toThrow("whose work is in the model");
    await advance(ann, tiny);
    await advance(bob, tiny);
    await tiny.run.rename(ann.identity.key, "Ann");
    await expect(tiny.run.rename(bob.identity.key, "ÁNN.")).rejects.toThrow("somebody has this name");
    expect(await tiny.run.rename(ann.identity.key, "ann")).toBe("ann"); // one's own is no rival
    await tiny.run.rename(bob.identity.key, "Bob");
    await tiny.run.ban(bob.identity.key);
    tiny.clock.ms += 6_000;
    expect(tiny.run.leaders().map(({ name }) => name)).toEqual(["ann"]);
    await expect(tiny.run.rename(bob.identity.key, "Robert")).rejects.toMatchObject({ code: "quarantined" });
    await tiny.run.forgive(bob.identity.key);
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
    tiny.run.witness = { seen: () => ({ device: "phone" }), forget() {} };
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
    tiny.run.witness = { seen: () => undefined, forget: (volunteer) => gone.push(volunteer) };
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
    expect(await tiny.options.store.get("run", "people.json")).toBeUndefined();
    await advance(ann, tiny);
    await tiny.run.forget(ann.identity.key);
    expect(await tiny.options.store.get("run", "people.json")).toBeDefined();
    await tiny.run.close();
  });

  it("a damaged file is refused loudly, not begun anew", async () => {
    const tiny = await tinyRun();
    await tiny.options.store.put("run", "people.json", utf8('{"names":{"x":"y"},"forgotten":[]}'));
    await expect(restart(tiny, "drop")).rejects.toThrow(StoreError);
  });
});
