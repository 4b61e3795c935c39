import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { uploadTokens } from "../../protocol/upload.ts";
import { KEYS, readResidual } from "../cache/entries.ts";
import { readPending } from "../cache/pending.ts";
import type { RoundDeps } from "./deps.ts";
import { unpackedFor } from "./payload-packing.ts";
import { sendUntil } from "./send.ts";

/** Milliseconds that an upload of an earlier visit is tried: how old its lease is, our clock does not know. */
const TRY_FOR_MS = 30_000;

/**
 * Sends what an earlier visit had trained but holds no receipt for. The server tells what is still good. Moments
 * stay as they were saved. A residual that was saved after that delta was made is what it left out, and stays; one
 * from before is part of what is sent, and goes.
 */
export async function resumeUpload(deps: RoundDeps): Promise<void> {
  const { cache, identity, manifest, control, clock, report } = deps;
  const pending = await readPending(cache);
  if (pending === undefined) return;
  const { ticket, body } = pending;
  const ours = ticket.run === manifest.run && ticket.volunteer === identity.key;
  const deadline = clock() + Math.min(ticket.lease, TRY_FOR_MS);
  const say = control.enter.bind(control);
  const frame = ours ? unpackedFor(manifest, ticket, pending.frame) : pending.frame;
  const answer = ours ? await sendUntil(deps, ticket, body, frame, deadline, say) : "unknown";
  const residual = await readResidual(cache, manifest.parameters);
  const spent = residual?.after !== ticket.id && { [KEYS.residual]: undefined };
  if (answer instanceof ProtocolError) {
    report({ type: "refused", code: answer.code, message: answer.message });
    const distrusted = answer.code === "not-finite" || answer.code === "norm-too-large";
    const all = distrusted && { [KEYS.moments]: undefined, [KEYS.residual]: undefined };
    return cache.write({ [KEYS.pending]: undefined, ...spent, ...all });
  }
  await cache.write({ [KEYS.pending]: undefined, ...spent });
  if (answer !== "taken") return;
  const tokens = uploadTokens(pending, manifest.model.context);
  const delta = await sha256(frame);
  report({ type: "sent", bytes: body.length, version: ticket.version, tokens, ticket: ticket.id, delta });
}
