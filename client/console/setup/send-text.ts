import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { asInteger, type Json } from "../../../protocol/guards.ts";
import { SETUP_ROUTES, TEXT_CHUNK_BYTES } from "../../../protocol/setup.ts";
import { type Ask, Refused } from "../api-client.ts";

/** The part of a File that sending uses. */
export interface TextFile {
  readonly name: string;
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface SendDeps {
  readonly ask: Ask;
  /** Resolves after this many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /** Hears how many bytes the server has, and whether it answers. */
  readonly onProgress: (received: number, away: boolean) => void;
}

const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 15_000;

/**
 * Brings a text to the server, from where an earlier try got to. A server that is away is asked again until it is
 * back. Rejects with {@link Refused} where it says no.
 */
export async function sendText(file: TextFile, deps: SendDeps): Promise<void> {
  const { onProgress } = deps;
  const hash = sha256.create(); // the browser's own takes no stream, and a text may be larger than memory
  const read = async (from: number) =>
    new Uint8Array(await file.slice(from, Math.min(file.size, from + TEXT_CHUNK_BYTES)).arrayBuffer());
  const begun = await patiently(deps, 0, () =>
    deps.ask(SETUP_ROUTES.text, { name: file.name, bytes: file.size }),
  );
  const there = receivedOf(begun);
  let at = 0;
  while (at < file.size) {
    const piece = (await read(at)).subarray(0, at < there ? there - at : undefined);
    hash.update(piece);
    // The part that the server has is read for the hash only: it shows whether this is the same file as before.
    if (at >= there) await sendPiece(at, piece, deps);
    at += piece.length;
    onProgress(Math.max(at, there), false);
  }
  if (begun.sha256 !== null) return; // it was all there
  await patiently(deps, file.size, () =>
    deps.ask(SETUP_ROUTES.finish, { sha256: bytesToHex(hash.digest()) }),
  );
}

async function sendPiece(at: number, piece: Uint8Array<ArrayBuffer>, deps: SendDeps): Promise<void> {
  await patiently(deps, at, async () => {
    try {
      return await deps.ask(SETUP_ROUTES.chunk(at), piece);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "wrong-offset") throw error;
      // An answer that was lost on its way: the piece may be there.
      const { upload } = await deps.ask(SETUP_ROUTES.state);
      if (typeof upload === "object" && upload !== null && "received" in upload) {
        if (upload.received === at + piece.length) return {};
      }
      throw error;
    }
  });
}

const receivedOf = (json: Json): number => asInteger(json.received, "received", 0, Number.MAX_SAFE_INTEGER);

/** Asks until there is an answer. */
async function patiently(deps: SendDeps, received: number, ask: () => Promise<Json>): Promise<Json> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LAST_WAIT_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refused && error.code !== "too-many-requests") throw error;
      deps.onProgress(received, true);
      await deps.wait(wait);
    }
  }
}
