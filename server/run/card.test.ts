import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { restart, tinyRun } from "../../test/harness/tiny-run.ts";
import { SettingsError } from "./settings.ts";

test("a card that the operator changes is what visitors read, also after a restart and beside a changed setting", async () => {
  const tiny = await tinyRun();
  expect(tiny.run.status().card).toEqual({});
  await tiny.run.admin.describe({ purpose: "To read", link: "https://reeds.example/" });
  await tiny.run.admin.tune({ quorum: 3 });
  expect(tiny.run.status().card).toEqual({ purpose: "To read", link: "https://reeds.example/" });
  await tiny.run.close();
  const again = await restart(tiny);
  expect(again.run.status().card.purpose).toBe("To read");
  expect(again.run.admin.tuning.quorum).toBe(3);
  await again.run.admin.describe({});
  expect(again.run.status().card).toEqual({});
  await again.run.close();
});

test("a damaged card.json is named, and does not pass for a card", async () => {
  const tiny = await tinyRun();
  await tiny.run.close();
  await tiny.options.store.put("run", "card.json", utf8('{"link":"javascript:alert(1)"}'));
  await expect(restart(tiny)).rejects.toThrow(SettingsError);
  await expect(restart(tiny)).rejects.toThrow(/card\.json is damaged/);
});
