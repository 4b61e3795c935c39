import { here } from "../../protocol/address.ts";
import { parseJson } from "../../protocol/guards.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseSpeedTable, type Speed, type SpeedTable } from "../../protocol/speeds.ts";

/** Bytes of a table at most: a hundred rows of some 200. */
const MAX_BYTES = 64 * 1024;

/** What visitors measured on this server's run; undefined where it has none, or does not answer. */
export async function readSpeeds(): Promise<SpeedTable | undefined> {
  try {
    const answer = await fetch(here(ROUTES.speeds), { redirect: "manual", cache: "no-store" });
    if (!answer.ok) return undefined;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return bytes.length > MAX_BYTES ? undefined : parseSpeedTable(parseJson(bytes));
  } catch {
    return undefined;
  }
}

/** Sends what the visitor agreed to. Whether it was taken. */
export async function sendSpeeds(speeds: readonly Speed[]): Promise<boolean> {
  try {
    const { ok } = await fetch(here(ROUTES.speeds), {
      method: "POST",
      redirect: "manual",
      credentials: "omit",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ speeds }),
    });
    return ok;
  } catch {
    return false;
  }
}
