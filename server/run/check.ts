import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { checkFrame, frameBytes } from "../../protocol/frame.ts";
import type { Signer } from "../../protocol/identity.ts";
import type { Hash, RunId } from "../../protocol/ids.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import { donePart, type Ticket } from "../../protocol/ticket.ts";
import { stepsDone, type Upload } from "../../protocol/upload.ts";
import { MAX_STALENESS } from "../coordinator/rules.ts";
import { isOurs, nodeChecks } from "../lib/signatures.ts";

/** Milliseconds after which a sender may try again while merging catches up. */
const POOL_FULL_RETRY_MS = 5_000;

/**
 * First part: is this sender's word worth looking at? Frame size, ticket signature, own ticket, nonce; cheap
 * first. Returns the frame's SHA-256, by which a repeated upload is known. The edge has verified `sender`.
 * Throws `too-large`, `bad-ticket`, `not-your-ticket`.
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
): Promise<Hash> {
  const { ticket, frame } = upload;
  if (frame.length > frameBytes(run.delta, run.parameters)) {
    throw new ProtocolError("too-large", `a frame of ${frame.length} bytes is larger than this run's`);
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
  return nodeChecks.sha256(frame);
}

/** The run's present state, as the second part needs it. */
export interface Now {
  readonly version: number;
  /** The run clock, ms. */
  readonly now: number;
  readonly finished: boolean;
  /** Tickets of versions before this one are void: the run was rolled back since. */
  readonly floor?: number;
  /** Accepted deltas that wait, and how many may. */
  readonly waiting: number;
  readonly maxWaiting: number;
  readonly parameters: number;
  readonly delta: CodecSpec;
  readonly weightDecay: number;
}

/**
 * Second part: may this delta be merged? Lease, staleness, format, finiteness, norm; cheap first. Pure.
 * Throws `run-finished`, `lease-expired`, `future-version`, `stale`, `too-many-requests`, what
 * {@link checkFrame} throws, and `norm-too-large`. Returns the delta's L2 norm.
 */
export function judge(upload: Upload, run: Now): number {
  const { ticket, frame } = upload;
  if (run.finished) throw new ProtocolError("run-finished", "the run is finished");
  if (run.now > ticket.issued + ticket.lease) {
    throw new ProtocolError("lease-expired", "the ticket's time is over; its text was given to another");
  }
  if (ticket.version > run.version) {
    throw new ProtocolError("future-version", `version ${ticket.version} is not published`);
  }
  if (ticket.version < (run.floor ?? 0)) {
    throw new ProtocolError("stale", `the run was rolled back since version ${ticket.version}`);
  }
  if (run.version - ticket.version > MAX_STALENESS) {
    throw new ProtocolError(
      "stale",
      `version ${ticket.version} is ${run.version - ticket.version} versions old`,
    );
  }
  if (run.waiting >= run.maxWaiting) {
    throw new ProtocolError("too-many-requests", "merging has to catch up first", POOL_FULL_RETRY_MS);
  }
  const norm = checkFrame(frame, run.parameters, ticket.delta ?? run.delta);
  const bound = normBound(donePart(ticket, stepsDone(upload)), run.parameters, run.weightDecay);
  if (norm > bound) {
    throw new ProtocolError("norm-too-large", `a norm of ${norm}, no ticket like this reaches ${bound}`);
  }
  return norm;
}

/**
 * An L2 norm that no honest delta exceeds: an AdamW step moves a weight by at most about its rate (β1 = .9,
 * β2 = .99: |m̂| ≤ √v̂ after the first steps) plus rate × decay × weight, with weights around 1 at most. The
 * factor 4 leaves room for a residual brought from tickets with higher rates.
 */
export function normBound(ticket: Pick<Ticket, "rates">, parameters: number, weightDecay: number): number {
  const rates = ticket.rates.reduce((sum, rate) => sum + rate, 0);
  return 4 * rates * Math.sqrt(parameters) * (1 + weightDecay);
}
