import { utf8 } from "../../protocol/bytes.ts";
import { parseCard, type RunCard } from "../../protocol/card.ts";
import { parseJson } from "../../protocol/guards.ts";
import type { Store } from "../store/store.ts";
import { type Settings, SettingsError } from "./settings.ts";

/**
 * The card as an operator changed it while the run was served. It lies beside the journal and not in it: no byte of the
 * model follows from it, and a contact must be possible to take back.
 */
const FILE = "card.json";

/** A run's settings with the card as it was last changed. Throws a SettingsError where the file is damaged. */
export async function withKeptCard(store: Store, settings: Settings): Promise<Settings> {
  const file = await store.get("run", FILE);
  if (file === undefined) return settings;
  try {
    return { ...settings, card: parseCard(parseJson(file)) };
  } catch {
    throw new SettingsError(`${FILE} is damaged: remove it, and the run file's own card holds again`);
  }
}

/** Durable when it resolves. */
export const keepCard = (store: Store, card: RunCard): Promise<void> =>
  store.put("run", FILE, utf8(`${JSON.stringify(card, null, 2)}\n`));
