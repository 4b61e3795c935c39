import { parseJson } from "../../protocol/guards.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Manifest, parseManifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { ExportError } from "./error.ts";
import type { ExportedModel } from "./model.ts";

/** A version may be published between reading the manifest and the snapshot: then both are read again. */
const TRIES = 5;

/** A served run's current version, its bytes held against their hashes. Throws an {@link ExportError}. */
export async function fetchModel(server: string, ask: typeof fetch): Promise<ExportedModel> {
  const get = async (path: string) => {
    const url = server + path;
    const answer = await ask(url).catch((error: unknown) => {
      throw new ExportError(`${server} does not answer: ${reasonOf(error)}`);
    });
    if (!answer.ok) throw new ExportError(`${url} answered ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
  for (let tried = 0; tried < TRIES; tried++) {
    const manifest = readManifest(await get(ROUTES.manifest), server);
    const file = await get(ROUTES.latestSnapshot);
    if ((await sha256(file)) !== manifest.hash) continue;
    const tokenizer = await get(ROUTES.tokenizer);
    await requireHash(tokenizer, manifest.tokenizer);
    return { manifest, file, tokenizer };
  }
  throw new ExportError("the snapshot's bytes never had the hash that the run names");
}

function readManifest(bytes: Uint8Array, server: string): Manifest {
  try {
    return parseManifest(parseJson(bytes));
  } catch (error) {
    throw new ExportError(`${server} serves no run that this program understands: ${reasonOf(error)}`);
  }
}

async function requireHash(bytes: Uint8Array<ArrayBuffer>, hash: Hash): Promise<void> {
  if ((await sha256(bytes)) !== hash) throw new ExportError("the tokenizer's bytes have not their hash");
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
