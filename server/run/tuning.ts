import { utf8 } from "../../protocol/bytes.ts";
import { type Json, parseJson } from "../../protocol/guards.ts";
import { TUNABLE, type Tuning } from "../../protocol/operator.ts";
import type { Store } from "../store/store.ts";
import { type Settings, SettingsError, storedSettings } from "./settings.ts";

/**
 * Settings that an operator changed while the run was served. They lie beside the journal and not in it: what
 * was decided by them (a closing, a ticket's rates) is journaled or signed itself, so a replay needs none.
 */
const FILE = "tuning.json";

/** A run's settings with what was changed since it began. Throws a SettingsError. */
export async function tunedSettings(store: Store, begun: Settings): Promise<Settings> {
  const file = await store.get("run", FILE);
  if (file === undefined) return begun;
  let changes: Json;
  try {
    changes = parseJson(file);
  } catch {
    throw new SettingsError(`${FILE} is damaged: remove it, and the run file's own settings hold again`);
  }
  return withChanges(begun, changes, FILE);
}

/** The settings with `changes`, which are durable when this resolves. Throws a SettingsError. */
export async function tune(store: Store, settings: Settings, changes: Partial<Tuning>): Promise<Settings> {
  const tuned = withChanges(settings, changes, "the change");
  await store.put("run", FILE, utf8(`${JSON.stringify(tuningOf(tuned), null, 2)}\n`));
  return tuned;
}

export const tuningOf = ({
  quorum,
  leaseSeconds,
  tokenBudget,
  learningRate,
  finalRate,
}: Settings): Tuning => ({
  quorum,
  leaseSeconds,
  tokenBudget,
  learningRate,
  finalRate,
});

function withChanges(
  settings: Settings,
  changes: Readonly<Record<string, unknown>>,
  where: string,
): Settings {
  const unknown = Object.keys(changes).filter((key) => !TUNABLE.some((one) => one === key));
  if (unknown.length > 0) throw new SettingsError(`${where} holds what cannot change: ${unknown.join(", ")}`);
  return storedSettings({ ...settings, ...changes });
}
