import { isErrorCode } from "../../protocol/errors.ts";
import { asObject, asText, type Json, parseJson } from "../../protocol/guards.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { intermediaryIn, intermediaryOf, intermediaryWith } from "../../protocol/intermediary.ts";
import { intermediaryLine } from "../../protocol/intermediary-line.ts";
import { parseManifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseAbout } from "./about.ts";
import { ExportError } from "./error.ts";
import type { ExportedModel } from "./model.ts";

/** Characters of a refusal that are shown. */
const MAX_MESSAGE = 500;
/** Times manifest and snapshot are read: a version may be published between the two. */
const TRIES = 5;

/** A served run's current version, its bytes checked against their hashes. Throws an {@link ExportError}. */
export async function fetchModel(server: string, ask: typeof fetch): Promise<ExportedModel> {
  const get = async (path: string) => {
    const url = server + path;
    const away = (error: unknown): never => {
      throw new ExportError(
        `${server} does not answer: ${reasonOf(error)}. ${intermediaryLine(intermediaryIn(error))}`,
      );
    };
    const answer = await ask(url, { redirect: "manual" }).catch(away);
    const other = intermediaryOf(answer);
    if (other !== undefined) throw new ExportError(`${url}: ${intermediaryLine(other)}`);
    const bytes = new Uint8Array(await answer.arrayBuffer().catch(away));
    if (!answer.ok)
      throw new ExportError(
        `${url}: ${refusalIn(bytes) ?? intermediaryLine(intermediaryWith(answer.status))}`,
      );
    return bytes;
  };
  for (let tried = 0; tried < TRIES; tried++) {
    const manifest = read(await get(ROUTES.manifest), server, parseManifest);
    const file = await get(ROUTES.latestSnapshot);
    if ((await sha256(file)) !== manifest.hash) continue;
    const tokenizer = await get(ROUTES.tokenizer);
    await requireHash(tokenizer, manifest.tokenizer);
    return { manifest, about: read(await get(ROUTES.run), server, parseAbout), file, tokenizer };
  }
  throw new ExportError("the snapshot's bytes never had the hash that the run names");
}

/** The message of our server's refusal; undefined for a body that another program wrote. */
function refusalIn(bytes: Uint8Array): string | undefined {
  try {
    const { code, message } = asObject(parseJson(bytes).error, "error");
    return isErrorCode(code) ? asText(message, "message", MAX_MESSAGE) : undefined;
  } catch {
    return undefined;
  }
}

function read<T>(bytes: Uint8Array, server: string, parse: (json: Json) => T): T {
  try {
    return parse(parseJson(bytes));
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
