import { asObject, type Json } from "../../../protocol/guards.ts";
import { parseProof, verifyProof } from "../../../protocol/history.ts";
import { parseManifest } from "../../../protocol/manifest.ts";
import type { Person } from "../../../protocol/person.ts";
import { ROUTES } from "../../../protocol/routes.ts";

/** Asks the server for JSON; undefined where it has none. */
export type Ask = (path: string) => Promise<Json | undefined>;

/** How many of a person's deltas are in the model, by proofs whose signatures were checked here; and of how many. */
export interface Checked {
  readonly hold: number;
  readonly of: number;
}

/** Fetches each delta's proof and checks it. Rejects where the server does not answer. */
export async function checkProofs(ask: Ask, { deltas }: Person): Promise<Checked> {
  const manifest = parseManifest((await ask(ROUTES.manifest)) ?? {});
  let hold = 0;
  for (const { ticket, volunteer, delta } of deltas) {
    const proof = (await ask(ROUTES.proof(ticket)))?.proof;
    if (proof === undefined || proof === null) continue;
    const own = { ticket, volunteer, delta, run: manifest.run };
    if (await verifyProof(manifest.server, parseProof(asObject(proof, "proof")), own)) hold += 1;
  }
  return { hold, of: deltas.length };
}
