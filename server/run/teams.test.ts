import { expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import type { TeamId } from "../../protocol/ids.ts";
import { advance, restart, TestVolunteer, tinyRun } from "../../test/harness/tiny-run.ts";

const [ann, phone, bob] = await Promise.all([1, 2, 3].map(() => TestVolunteer.create()));
const [one, other] = ["A", "B"].map((letter) => letter.repeat(22) as TeamId);
const [annKey, phoneKey, bobKey] = [ann, phone, bob].map((volunteer) => volunteer!.identity.key);

async function worked() {
  const tiny = await tinyRun();
  for (const volunteer of [ann!, phone!, bob!]) await advance(volunteer, tiny);
  return tiny;
}

it("U8: a team is a name and a sum, which takes credit, and one name is one team's; it ends with its last member", async () => {
  const tiny = await worked();
  const { run } = tiny;
  const stranger = (await TestVolunteer.create()).identity.key;
  await expect(run.joinTeam(stranger, "Starlings", one!)).rejects.toThrow("whose work is in the model");
  await expect(run.joinTeam(annKey!, "\u200b", one!)).rejects.toMatchObject({ code: "bad-request" });
  expect(await run.joinTeam(annKey!, "Starlings", one!)).toEqual({ id: one, name: "Starlings" });
  expect(await run.joinTeam(bobKey!, "ST\u0410RLINGS", other!), "looks the same").toEqual({
    id: one,
    name: "Starlings",
  });
  await run.rename(bobKey!, "Bob");
  const again = await restart(tiny, "drop");
  for (const { run } of [tiny, again]) {
    expect(run.teams()).toMatchObject([{ id: one, name: "Starlings", tokens: 128, members: 2 }]);
    expect(run.team(one!)?.people).toEqual([{ name: "Bob", tokens: 64 }]);
    expect(run.dataOf(annKey!).team).toBe("Starlings");
  }
  await again.run.admin.ban(bobKey!);
  again.clock.ms += 5_000; // for which what is shown is kept
  expect(again.run.team(one!)).toMatchObject({ tokens: 64, people: [] });
  await expect(again.run.joinTeam(bobKey!, "Crows", other!)).rejects.toMatchObject({ code: "banned" });
  await again.run.joinTeam(bobKey!, null, other!);
  await again.run.joinTeam(annKey!, "Crows", other!);
  expect(again.run.team(one!)).toBeUndefined();
  expect(again.run.teams()).toMatchObject([{ id: other, name: "Crows", tokens: 64, members: 1 }]);
  await again.run.close();
});

it("U8: a kept team whose name would be refused today is none, and its members join another", async () => {
  const tiny = await worked();
  await tiny.run.joinTeam(bobKey!, "Crows", other!);
  const kept = [
    { id: one, name: "Star\u{1d159}lings", keys: [annKey] },
    { id: other, name: "Crows", keys: [bobKey] },
  ];
  await tiny.options.store.put("run", "teams.json", utf8(JSON.stringify({ teams: kept })));
  const again = await restart(tiny, "drop");
  expect(again.run.teams()).toMatchObject([{ id: other, name: "Crows" }]);
  expect(again.run.dataOf(annKey!).team).toBeNull();
  expect(await again.run.joinTeam(annKey!, "Starlings", one!)).toEqual({ id: one, name: "Starlings" });
  await again.run.close();
});

it("U8: a team that could not be left on a full disk is left by asking again, for good", async () => {
  const tiny = await worked();
  await tiny.run.joinTeam(annKey!, "Starlings", one!);
  tiny.files.capacity = 0;
  await expect(tiny.run.joinTeam(annKey!, null, one!)).rejects.toThrow();
  const kept = Buffer.from((await tiny.options.store.get("run", "teams.json")) ?? []).toString();
  expect(kept, "the control").toContain(annKey);
  tiny.files.capacity = Number.POSITIVE_INFINITY;
  await tiny.run.joinTeam(annKey!, null, one!);
  const again = await restart(tiny, "drop");
  expect(again.run.teams()).toEqual([]);
  await again.run.close();
});

it("U4, U8: linked keys count once, and forgetting leaves nothing of a member", async () => {
  const tiny = await worked();
  const { run } = tiny;
  await run.joinTeam(annKey!, "Starlings", one!);
  await run.joinTeam(phoneKey!, "Starlings", other!);
  await run.link(annKey!, phoneKey!);
  expect(run.team(one!)).toMatchObject({ tokens: 128, members: 1 });
  await run.joinTeam(phoneKey!, "Starlings", other!); // by the other key: the same person
  expect(run.team(one!) ?? run.team(other!)).toMatchObject({ tokens: 128, members: 1 });
  await run.forget(annKey!);
  const again = await restart(tiny, "drop");
  expect(again.run.teams()).toEqual([]);
  const file = Buffer.from((await again.options.store.get("run", "teams.json")) ?? []).toString();
  for (const key of [annKey!, phoneKey!]) expect(file).not.toContain(key);
  await again.options.store.put("run", "teams.json", utf8('{"teams":[{"id":1}]}'));
  await expect(restart(again, "drop")).rejects.toThrow("teams.json");
});
