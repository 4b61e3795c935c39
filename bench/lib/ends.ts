import type { TicketId } from "../../protocol/ids.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { nodeFiles } from "../../server/store/node-files.ts";
import { readOnlyStore } from "../../server/store/read-only.ts";

/** What a directory's journal says of deltas that were receipted. */
export interface Ends {
  /** Receipted deltas that it does not know. */
  readonly lost: number;
  /** Deltas that it merges more than once. */
  readonly twice: number;
  /** Versions that it publishes more than once. */
  readonly closedTwice: number;
}

export async function endsIn(data: string, receipts: Iterable<TicketId>): Promise<Ends> {
  const known = new Set<TicketId>();
  const [merged, published] = [new Map<TicketId, number>(), new Map<number, number>()];
  const count = <K>(counts: Map<K, number>, what: K) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for await (const { record } of (await readOnlyStore(nodeFiles(data))).records()) {
    const { event } = decodeRecord(record);
    if (event.type === "accepted") known.add(event.ticket);
    if (event.type === "published") count(published, event.version);
    if (event.type === "closed") for (const { ticket } of event.merged) count(merged, ticket);
  }
  const repeated = (counts: ReadonlyMap<unknown, number>) => [...counts.values()].filter((n) => n > 1).length;
  return {
    lost: [...receipts].filter((ticket) => !known.has(ticket)).length,
    twice: repeated(merged),
    closedTwice: repeated(published),
  };
}
