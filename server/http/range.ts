import type { Context } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Edge } from "../net/edge.ts";
import { tagged, whole } from "./answer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One range of bytes; several in one request are answered with the whole, as RFC 9110 §14.2 allows. */
const ONE_RANGE = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/;

export interface Stored {
  readonly tag: string;
  readonly type: string;
  readonly cache: string;
  readonly body: () => Promise<Bytes>;
  /** Hears how many bytes of it are sent. */
  readonly sent: (bytes: number) => void;
}

/**
 * Stored bytes, whole or the part that a Range header names (rule K3): 206 with Content-Range, 416 for a range that
 * begins beyond the end, and 200 for a range of another version of them (If-Range) or one in another form.
 */
export async function ranged(c: Context<Edge>, { tag, type, cache, body, sent }: Stored): Promise<Response> {
  const etag = `"${tag}"`;
  const condition = c.req.header("if-range");
  const wanted =
    condition === undefined || condition === etag ? ONE_RANGE.exec(c.req.header("range") ?? "") : null;
  c.header("accept-ranges", "bytes");
  if (wanted === null) {
    return tagged(
      c,
      tag,
      type,
      async () => {
        const bytes = await body();
        if (c.req.method !== "HEAD") sent(bytes.length);
        return bytes;
      },
      cache,
    );
  }
  const bytes = await body();
  const [, first, last, suffix] = wanted;
  const start = suffix === undefined ? Number(first) : Math.max(0, bytes.length - Number(suffix));
  const end = last === undefined || last === "" ? bytes.length : Math.min(bytes.length, Number(last) + 1);
  if (start >= bytes.length || end <= start) {
    c.header("content-range", `bytes */${bytes.length}`);
    throw new ProtocolError("bad-range", `there are ${bytes.length} bytes`);
  }
  if (c.req.method !== "HEAD") sent(end - start);
  return whole(c, bytes.subarray(start, end), 206, {
    etag,
    "cache-control": cache,
    "content-type": type,
    "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
  });
}
