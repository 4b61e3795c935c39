import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import type { Sent } from "./job.ts";
import type { Member } from "./member.ts";

/** An accepted delta until the run's end, and what an audit needs of it. */
export interface Kept {
  readonly ticket: Ticket;
  readonly member: Member;
  readonly frame: Uint8Array<ArrayBuffer>;
  /** The version it was merged into, null where it was discarded. */
  end?: number | null;
  /** Tokens that it counted for there; undefined: all of its own. */
  tokens?: number;
  revoked?: boolean;
}

/** What became of what some of the members sent. */
export function tallyOf(kept: Iterable<Kept>, of: readonly Member[], context: number): Sent {
  const theirs = [...kept].filter(({ member }) => of.includes(member));
  const lost = theirs.filter(({ end, revoked }) => revoked || end === null);
  const credited = theirs.filter(({ end, revoked }) => !revoked && typeof end === "number");
  return {
    volunteers: of.length,
    deltas: of.reduce((sum, { sent }) => sum + sent, 0),
    refused: lost.length + of.reduce((sum, { refused }) => sum + refused, 0),
    credit: credited.reduce((sum, { ticket, tokens }) => sum + (tokens ?? ticketTokens(ticket, context)), 0),
  };
}

/** The lowest, the twentieth, the median and the highest of some numbers; nothing of none. */
export function spread(numbers: readonly number[]): number[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  return [0, 0.05, 0.5, 1].map((part) => Number(sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(3)));
}
