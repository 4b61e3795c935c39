import { ProtocolError } from "../../protocol/errors.ts";
import { ticketTokens } from "../../protocol/ticket.ts";
import { KEYS, readPending, type VolunteerState } from "../cache/entries.ts";
import type { RoundDeps } from "./deps.ts";
import { sendUntil } from "./send.ts";

/** How long an upload of an earlier visit is tried: our clock then does not know how old its lease is. */
const TRY_FOR_MS = 30_000;

/**
 * Sends what an earlier visit had trained but holds no receipt for. The server tells what is still good. Its
 * moments went with that visit, so the ones before it stay; its residual was part of what is sent, so it goes,
 * unless the server took nothing.
 */
export async function resumeUpload(
  deps: RoundDeps,
  state: VolunteerState | undefined,
): Promise<VolunteerState | undefined> {
  const { cache, identity, manifest, clock, report } = deps;
  const pending = await readPending(cache);
  if (pending === undefined) return state;
  const { ticket, body, frame } = pending;
  const ours = ticket.run === manifest.run && ticket.volunteer === identity.key;
  const deadline = clock() + Math.min(ticket.lease, TRY_FOR_MS);
  const answer = ours ? await sendUntil(deps, ticket, body, frame, deadline) : "unknown";
  if (answer instanceof ProtocolError) {
    report({ type: "refused", code: answer.code, message: answer.message });
    await cache.write({ [KEYS.pending]: undefined });
    return state;
  }
  const spent = state && { ...state, residual: undefined, unsent: false };
  await cache.write({ [KEYS.volunteer]: spent, [KEYS.pending]: undefined });
  if (answer === "taken") {
    const tokens = ticketTokens(ticket, manifest.model.context);
    report({ type: "sent", bytes: body.length, version: ticket.version, tokens });
  }
  return spent;
}
