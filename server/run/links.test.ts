import { describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import type { PersonId } from "../../protocol/ids.ts";
import { MAX_LINKED } from "../../protocol/link.ts";
import { advance, restart, TestVolunteer, type TinyRun, tinyRun } from "../../test/harness/tiny-run.ts";
import { standingOf } from "../trust/standing.ts";

const people = await Promise.all(Array.from({ length: MAX_LINKED + 1 }, () => TestVolunteer.create()));
const [ann, phone, bob] = people as [TestVolunteer, TestVolunteer, TestVolunteer];

/** A run in which each of these has two deltas, of which one made 64 tokens. */
async function workedIn(...volunteers: readonly TestVolunteer[]): Promise<TinyRun> {
  const tiny = await tinyRun();
  for (const volunteer of volunteers) await advance(volunteer, tiny);
  return tiny;
}

/** The list of names is kept for a moment. */
const listed = ({ run, clock }: TinyRun) => {
  clock.ms += 6_000;
  return run.leaders().map(({ name, tokens }) => [name, tokens]);
};

const filesNaming = async ({ options: { store } }: TinyRun, key: string) => {
  const names = await store.list("run");
  const files = await Promise.all(
    names.map(async (name) => [name, Buffer.from((await store.get("run", name)) ?? [])] as const),
  );
  return files.filter(([, bytes]) => bytes.includes(key)).map(([name]) => name);
};

describe("linked keys", () => {
  it("U5: give together, under one name, wherever people are listed; a restart changes nothing", async () => {
    const tiny = await workedIn(ann, phone, bob);
    const { run } = tiny;
    await run.rename(ann.identity.key, "Ann");
    await run.rename(phone.identity.key, "Ann’s phone");
    expect(await run.link(phone.identity.key, ann.identity.key)).toMatchObject({ linked: 1, tokens: 128 });
    const again = await restart(tiny, "drop");
    for (const one of [tiny, again]) {
      expect(listed(one)).toEqual([["Ann’s phone", 128]]);
      const [, row] = one.run.volunteers.roster([phone.identity.key, ann.identity.key]);
      expect(row).toMatchObject({ name: "Ann’s phone", tokens: 64, linked: 1, together: 128 });
      expect(one.run.dataOf(ann.identity.key)).toMatchObject({
        ...{ name: "Ann’s phone", credit: { tokens: 64 } },
        ...{ linked: [phone.identity.key], together: { tokens: 128, merged: 4 } },
      });
      expect(one.run.credit(ann.identity.key).tokens, "a key's own, which anybody may ask for").toBe(64);
    }
    expect(await again.run.rename(ann.identity.key, "Ann’s phöne")).toBe("Ann’s phöne"); // the person's own
    await expect(again.run.rename(bob.identity.key, "Ann’s phone")).rejects.toThrow("somebody has this name");
    expect(listed(again)).toEqual([["Ann’s phöne", 128]]);
    expect((await again.run.link(phone.identity.key, null)).linked).toBe(0);
    expect(listed(again)).toEqual([["Ann’s phöne", 64]]);
    await again.run.close();
  });

  it("A34, the control: the run itself asks for no signature, and one key alone would have the other's credit", async () => {
    const tiny = await workedIn(ann, bob);
    await tiny.run.rename(bob.identity.key, "Bob");
    await tiny.run.link(bob.identity.key, ann.identity.key); // what http/people.ts refuses without Ann's signature
    expect(listed(tiny)).toEqual([["Bob", 128]]);
    await tiny.run.close();
  });

  it("U5: give no key another's standing, neither weight nor strikes, and no way around a ban", async () => {
    const tiny = await workedIn(ann, phone);
    const { run } = tiny;
    const before = [ann, phone].map(({ identity }) => standingOf(run.volunteers.trust, identity.key));
    await run.link(ann.identity.key, phone.identity.key);
    expect([ann, phone].map(({ identity }) => standingOf(run.volunteers.trust, identity.key))).toEqual(
      before,
    );
    await run.admin.ban(ann.identity.key);
    expect(standingOf(run.volunteers.trust, phone.identity.key)).toEqual(before[1]);
    await run.rename(phone.identity.key, "Phone");
    expect(listed(tiny), "what the ban took from the list").toEqual([["Phone", 64]]);
    await expect(run.link(phone.identity.key, ann.identity.key)).rejects.toMatchObject({ code: "banned" });
    await run.close();
  });

  it("U5: a ring of links is a set, no person has more keys than some, and none that gave nothing", async () => {
    const tiny = await workedIn(...people.slice(0, -1), people.at(-1)!);
    const { run } = tiny;
    const [first, ...others] = people.map(({ identity }) => identity.key);
    const stranger = await TestVolunteer.create();
    await expect(run.link(first!, stranger.identity.key)).rejects.toThrow("whose work is in the model");
    for (const [i, other] of others.slice(0, -1).entries()) await run.link(people[i]!.identity.key, other);
    const ring = await run.link(others.at(-2)!, first!);
    expect(ring).toMatchObject({ linked: MAX_LINKED - 1, tokens: 64 * MAX_LINKED });
    await expect(run.link(others.at(-1)!, others[2]!)).rejects.toThrow(`links ${MAX_LINKED} keys`);
    expect(run.dataOf(others.at(-1)!).linked).toEqual([]);
    await run.close();
  });

  it("U4, U5: forgetting one forgets them all, and no file but the list of the forgotten names a key", async () => {
    const tiny = await workedIn(ann, phone, bob);
    const { run } = tiny;
    await run.rename(ann.identity.key, "Ann");
    await run.link(ann.identity.key, phone.identity.key);
    expect(await filesNaming(tiny, phone.identity.key)).toEqual(["links.json"]); // the control
    await run.forget(phone.identity.key);
    const again = await restart(tiny, "drop");
    for (const one of [tiny, again]) {
      expect(listed(one)).toEqual([]);
      for (const { identity } of [ann, phone]) {
        expect(one.run.volunteers.together(identity.key)).toEqual({
          linked: 0,
          tokens: 0,
          recent: 0,
          merged: 0,
        });
        for (const name of await filesNaming(again, identity.key)) expect(name).toMatch(/^forgotten-/);
      }
      expect(one.run.credit(bob.identity.key).tokens).toBe(64);
    }
    await again.run.close();
  });

  it("U7: a page shows what all of a person's keys gave, stays with the name, and goes with it", async () => {
    const tiny = await workedIn(ann, phone, bob);
    const { run } = tiny;
    const drawn = "P".repeat(22) as PersonId;
    await expect(run.setPage(ann.identity.key, true, drawn)).rejects.toThrow("who have a name");
    await run.rename(ann.identity.key, "Ann");
    expect(await run.setPage(ann.identity.key, true, drawn)).toBe(drawn);
    expect(await run.setPage(ann.identity.key, true, "Q".repeat(22) as PersonId)).toBe(drawn);
    await run.link(phone.identity.key, ann.identity.key);
    await run.rename(phone.identity.key, "Anna");
    const again = await restart(tiny, "drop");
    for (const one of [tiny, again]) {
      expect(one.run.person(drawn)).toMatchObject({ name: "Anna", tokens: 128, merged: 4, keys: 2 });
      const deltas = one.run.person(drawn)?.deltas ?? [];
      expect(new Set(deltas.map(({ volunteer }) => volunteer))).toEqual(
        new Set([ann.identity.key, phone.identity.key]),
      );
      const proof = await again.run.proof(deltas[0]!.ticket);
      expect(proof.record.version).toBe(deltas[0]!.version);
    }
    expect(again.run.dataOf(ann.identity.key).page).toBe(drawn);
    await again.run.admin.ban(ann.identity.key);
    again.clock.ms += 5_000; // for which what is shown is kept
    expect(again.run.person(drawn), "the banned key's part").toMatchObject({ tokens: 64, merged: 2 });
    await again.run.forget(phone.identity.key);
    expect(again.run.person(drawn)).toBeUndefined();
    expect(Buffer.from((await again.options.store.get("run", "people.json")) ?? []).includes(drawn)).toBe(
      false,
    );
    await again.run.close();
  });

  it("U5: one that could not be taken back on a full disk is taken back by asking again, for good", async () => {
    const tiny = await workedIn(ann, phone);
    await tiny.run.link(ann.identity.key, phone.identity.key);
    tiny.files.capacity = 0;
    await expect(tiny.run.link(ann.identity.key, null)).rejects.toThrow();
    expect(await filesNaming(tiny, phone.identity.key), "the control").toEqual(["links.json"]);
    tiny.files.capacity = Number.POSITIVE_INFINITY;
    await tiny.run.link(ann.identity.key, null);
    const again = await restart(tiny, "drop");
    expect(again.run.dataOf(phone.identity.key).linked).toEqual([]);
    await again.run.close();
  });

  it("U4: a crash between the files leaves no link of who is forgotten, and a damaged file is refused", async () => {
    const tiny = await workedIn(ann, phone);
    await tiny.run.link(ann.identity.key, phone.identity.key);
    const before = await tiny.options.store.get("run", "links.json");
    await tiny.run.forget(ann.identity.key);
    await tiny.options.store.put("run", "links.json", before!);
    const again = await restart(tiny, "drop");
    expect(again.run.dataOf(phone.identity.key).linked).toEqual([]);
    await again.options.store.put("run", "links.json", utf8('{"people":[["x"]]}'));
    await expect(restart(again, "drop")).rejects.toThrow("links.json");
  });
});
