import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { frameBytes } from "../../protocol/frame.ts";
import type { Signer } from "../../protocol/identity.ts";
import type { Hash, RunId } from "../../protocol/ids.ts";
import { unpackFrame } from "../../protocol/packed-frame.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import type { Upload } from "../../protocol/upload.ts";
import { isOurs, nodeChecks } from "../lib/signatures.ts";

/**
 * Whether a sender's word is worth looking at: frame size, own ticket, nonce, ticket signature; cheap first. Returns the
 * frame, unpacked, and its SHA-256, by which a repeated upload is known. The edge has verified `sender`.
 * Throws `too-large`, `bad-ticket`, `not-your-ticket`, and of a packed frame what {@link unpackFrame} throws.
 */
export async function authenticate(
  upload: Upload,
  sender: SignedRequest,
  run: {
    readonly id: RunId;
    /** The server's own, which tickets are signed with. */
    readonly signer: Signer;
    readonly parameters: number;
    readonly delta: CodecSpec;
  },
): Promise<{ readonly frame: Uint8Array<ArrayBuffer>; readonly delta: Hash }> {
  const { ticket } = upload;
  if (upload.frame.length > frameBytes(run.delta, run.parameters)) {
    throw new ProtocolError("too-large", `a frame of ${upload.frame.length} bytes is larger than this run's`);
  }
  if (ticket.run !== run.id) throw new ProtocolError("bad-ticket", "the ticket is of another run");
  if (ticket.volunteer !== sender.volunteer) {
    throw new ProtocolError("not-your-ticket", "the ticket was issued to another volunteer");
  }
  if (ticket.id !== sender.nonce) {
    throw new ProtocolError("bad-ticket", "the request's nonce is not the ticket's id");
  }
  if (!(await isOurs(run.signer, ticket))) {
    throw new ProtocolError("bad-ticket", "the ticket's signature does not fit");
  }
  const frame = unpackFrame(upload.frame, run.parameters, ticket.delta ?? run.delta);
  return { frame, delta: await nodeChecks.sha256(frame) };
}
