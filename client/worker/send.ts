import type { ErrorCode } from "../../protocol/errors.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Intermediary } from "../../protocol/intermediary.ts";
import { verifyReceipt } from "../../protocol/receipt.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { ServerAway, WrongBytes } from "../transport/away.ts";
import { Backoff } from "../transport/backoff.ts";
import type { RoundDeps } from "./deps.ts";
import type { Phase } from "./messages.ts";

/** What became of an upload: taken, refused for a reason, or nobody knows. */
export type Answer = "taken" | ProtocolError | "unknown";

/** Refusals that the next try may not meet. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "too-many-requests",
  "server-nonce-expired",
  "internal-error",
  "run-paused",
  "no-run",
  "not-durable",
  "no-space",
]);

/**
 * Sends one upload until it has an answer or the deadline passes by our clock, always the same bytes: the
 * server knows a ticket's upload again and gives the same receipt, so a lost answer costs nothing (rule D3).
 * `say` hears where it is.
 */
export async function sendUntil(
  deps: Pick<
    RoundDeps,
    "api" | "identity" | "manifest" | "control" | "clock" | "sleep" | "random" | "throughput"
  >,
  ticket: Ticket,
  body: Uint8Array<ArrayBuffer>,
  frame: Uint8Array<ArrayBuffer>,
  deadline: number,
  say: (phase: Phase) => void,
): Promise<Answer> {
  const { api, identity, manifest, control, clock, sleep, random, throughput } = deps;
  const { signal } = control;
  const delta = await sha256(frame);
  const backoff = new Backoff(random);
  for (;;) {
    say({ phase: "sending", bytes: body.length });
    const begun = clock();
    let least = 0;
    let why: Intermediary | undefined;
    try {
      const receipt = await api.upload(identity, ticket.id, body, { signal });
      if (
        receipt.ticket === ticket.id &&
        receipt.delta === delta &&
        (await verifyReceipt(manifest.server, receipt))
      ) {
        throughput.sent(body.length, clock() - begun);
        return "taken";
      }
    } catch (error) {
      if (error instanceof ProtocolError) {
        if (!PASSING.has(error.code)) return error;
        least = error.retryAfterMs ?? 0;
      } else if (error instanceof ServerAway) why = error.why;
      else if (!(error instanceof WrongBytes)) throw error;
    }
    const wait = backoff.next(least);
    if (clock() + wait >= deadline) return "unknown";
    say({ phase: "away", forMs: wait, ...(why && { why }) });
    await sleep(wait, signal);
    await control.checkpoint();
  }
}
