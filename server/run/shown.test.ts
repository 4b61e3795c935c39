import { expect, it } from "vitest";
import type { PersonId, TeamId, VolunteerKey } from "../../protocol/ids.ts";
import { tinyRun } from "../../test/harness/tiny-run.ts";
import { Links } from "./links.ts";
import { People } from "./people.ts";
import { Shown } from "./shown.ts";
import { Teams } from "./teams.ts";
import { WrittenFiles } from "./written-files.ts";

const MEMBERS = 60;
const keys = Array.from(
  { length: MEMBERS },
  (_, i) => `${i}`.padStart(3, "k").padEnd(43, "A") as VolunteerKey,
);
const id = "T".repeat(21).concat("A") as TeamId;
const page = "P".repeat(21).concat("A") as PersonId;

/** A team of sixty, the first of whom has a name and a page; counts looks at the index. */
async function shownOf() {
  const { store } = (await tinyRun()).options;
  const files = new WrittenFiles(store);
  const people = await People.open(store);
  const [links, teams] = [
    await Links.open(store, files, () => false),
    await Teams.open(store, files, () => false),
  ];
  for (const key of keys) await teams.join(key, new Set([key]), "Starlings", id);
  await people.rename(keys[0]!, "Ann");
  await people.setPage(keys[0]!, page);
  const seen = { now: 0, looks: 0, deltas: 0 };
  const shown = new Shown({
    ...{ people, links, teams, now: () => seen.now, isBanned: () => false },
    together: () => {
      seen.looks++;
      return { linked: 0, tokens: 2, recent: 1, merged: 1 };
    },
    deltasOf: () => {
      seen.deltas++;
      return [];
    },
  });
  return { shown, seen, people, teams };
}

it("U7, U8: a thousand strangers who look cost as much as one, and see what changed", async () => {
  const { shown, seen, people, teams } = await shownOf();
  const look = () => [shown.teams(), shown.team(id), shown.person(page)] as const;
  look();
  const { looks: once, deltas } = seen; // the control: what one look costs
  expect(once).toBeGreaterThan(2 * MEMBERS);
  for (let i = 0; i < 1_000; i++) look();
  expect([seen.looks, seen.deltas]).toEqual([once, deltas]);
  expect(look()[1]).toMatchObject({ tokens: 2 * MEMBERS, people: [{ name: "Ann" }] });
  await people.rename(keys[0]!, "Anna");
  await teams.leave(keys[1]!);
  shown.changed();
  expect(look()[1]).toMatchObject({ members: MEMBERS - 1, people: [{ name: "Anna" }] });
  expect(look()[2]?.name).toBe("Anna");
  seen.now += 5_000;
  look();
  expect(seen.looks).toBeGreaterThan(2 * once);
  await people.setPage(keys[0]!, undefined);
  expect(shown.person(page), "at once, whatever is kept").toBeUndefined();
});

it("U8: one who joins and leaves without end makes no more of it than one look a second", async () => {
  const { shown, seen } = await shownOf();
  shown.team(id);
  const once = seen.looks;
  for (let i = 0; i < 4_000; i++) {
    shown.changed();
    shown.team(id);
    seen.now++;
  }
  expect(seen.looks / once).toBeLessThanOrEqual(1 + 10 + 4);
});
