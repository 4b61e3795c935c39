import type { VolunteerKey } from "../../protocol/ids.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import { reduce } from "../coordinator/reduce.ts";
import type { Rules } from "../coordinator/rules.ts";
import { begin, type State } from "../coordinator/state.ts";
import { type IndexEntry, type Store, StoreError } from "../store/store.ts";
import { creditLost, standingOf } from "../trust/standing.ts";
import type { RecordEntries } from "./index-feed.ts";
import { decodeRecord } from "./record.ts";

/** The index's entries of an event that was applied to `state` and decided the outcomes `ended`. */
export function entriesOf(state: State, event: DurableEvent, ended: readonly Outcome[]): IndexEntry[] {
  const ends = ended.map((end): IndexEntry => ({ type: "ended", ...end }));
  if (event.type === "closed") return [{ type: "closed", version: event.version + 1 }, ...ends];
  if (event.type === "published") return [{ type: "published", version: event.version }, ...ends];
  if (event.type === "rolled-back") {
    const { version } = event; // one record is both: nothing was closed for it
    return [{ type: "closed", version }, { type: "published", version }, ...ends];
  }
  if (event.type === "audited") {
    const { ticket, verdict, reason } = event;
    const audited: IndexEntry = { type: "audited", ticket, audit: { verdict, reason } };
    if (verdict !== "bad") return [...ends, audited];
    const lost = new Set([ticket, ...creditLost(standingOf(state.trust, event.volunteer))]);
    const revoked = [...lost].map((ticket): IndexEntry => ({ type: "revoked", ticket }));
    return [...ends, audited, ...revoked, ...forfeitedBy(event.volunteer, event.forfeits)];
  }
  if (event.type === "settled") {
    const { at, tokens, right, wrong, forfeits } = event;
    const lost = wrong.flatMap((volunteer) => standingOf(state.trust, volunteer).unproven);
    return [
      ...right.map((volunteer): IndexEntry => ({ type: "earned", volunteer, tokens, at })),
      ...lost.map((ticket): IndexEntry => ({ type: "revoked", ticket })),
      ...wrong.flatMap((volunteer) => forfeitedBy(volunteer, forfeits)),
    ];
  }
  if (event.type !== "accepted") return ends;
  const { ticket, volunteer, delta, version, tokens, at } = event;
  return [{ type: "accepted", delta: { ticket, volunteer, delta, version, tokens, accepted: at } }, ...ends];
}

/** What a volunteer found bad forfeits beside that; nothing in a journal of before that was so. */
const forfeitedBy = (volunteer: VolunteerKey, deltas: number | undefined): IndexEntry[] =>
  deltas === undefined ? [] : [{ type: "forfeited", volunteer, deltas }];

/** The index's entries of the journal's records before `before`, from its beginning. */
export async function* entriesBefore(
  store: Store,
  rules: Rules,
  before: number,
): AsyncGenerator<RecordEntries> {
  let state: State | undefined;
  for await (const { sequence, record } of store.records(0, false)) {
    if (sequence >= before) return;
    const { event } = decodeRecord(record);
    if (event.type === "created") {
      state = begin(event);
      yield { sequence, entries: [] };
      continue;
    }
    if (state === undefined) throw new StoreError("the journal does not begin with a run's creation");
    const step = reduce(rules, state, event, event.at);
    yield { sequence, entries: entriesOf(state, event, step.ended) };
    state = step.state;
  }
}
