import { type AuditScale, auditScale } from "../../test/harness/audit-scale.ts";
import { VirtualTime } from "../../test/harness/virtual-time.ts";

/** What audits are to a run of so many volunteers, all of them veterans, each its own network. */
export interface AuditRow {
  readonly volunteers: number;
  /** Deltas with a verdict, of all. */
  readonly auditedPercent: number;
  /** What all audits took, of what training did. */
  readonly computePercent: number;
  /** Of the server's thread, the time that it was busy. */
  readonly threadPercent: number;
  /** Audits that volunteers made, of all. */
  readonly byVolunteersPercent: number;
}

/** Volunteers, and the tickets that each of them trains. */
const RUNS = [
  [8, 200],
  [64, 40],
  [500, 24],
] as const;

/** The product's own audits at three sizes, on a virtual clock: nothing is trained. */
export async function auditRows(): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for (const [volunteers, tickets] of RUNS) {
    // WebCrypto stays wrapped: the process ends with the bench.
    rows.push(rowOf(volunteers, await auditScale(new VirtualTime(() => {}), volunteers, tickets)));
  }
  return rows;
}

const rowOf = (volunteers: number, { audited, share, thread, shared }: AuditScale): AuditRow => ({
  volunteers,
  auditedPercent: percent(audited),
  computePercent: percent(share),
  threadPercent: percent(thread),
  byVolunteersPercent: percent(shared),
});

const percent = (part: number) => Math.round(1_000 * part) / 10;
