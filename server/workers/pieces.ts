import { concat, u32Bytes } from "../../protocol/bytes.ts";
import type { JobLine } from "../lib/jobs.ts";

/** Bytes of a piece: well below the smallest limit of a message (1 MB). */
const PIECE_BYTES = 512 * 1024;
/** Pieces that are asked for at once: what nobody has read yet piles up in the cluster, which then drops the reader. */
const AT_ONCE = 4;
/** Milliseconds for one piece. */
const PIECE_MS = 5_000;

/** Bytes too long for a message, offered to whoever has the address, who asks for piece after piece. */
export function servePieces(
  line: Pick<JobLine, "serve">,
  bytes: Uint8Array,
): { readonly address: string; stop(): void } {
  return line.serve((question) => {
    if (question.length !== 8) return undefined;
    const view = new DataView(question.buffer, question.byteOffset);
    const [from, to] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (from >= to || to > bytes.length || to - from > PIECE_BYTES) return undefined;
    return bytes.subarray(from, to);
  });
}

/** Fetches as many bytes as are expected. Rejects where a piece does not come in time, or has another length. */
export async function fetchPieces(
  line: Pick<JobLine, "request">,
  address: string,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let next = 0;
  const some = async () => {
    while (next < length) {
      const from = next;
      next = Math.min(length, from + PIECE_BYTES);
      const to = next;
      const piece = await line.request(address, concat(u32Bytes(from), u32Bytes(to)), PIECE_MS);
      if (piece.length !== to - from) throw new RangeError("a piece of another length");
      bytes.set(piece, from);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  return bytes;
}
