import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_LOSS } from "../../protocol/limits.ts";
import type { MeasuredPoint, Overview, VersionPoint } from "../../protocol/operator.ts";
import type { Accepted, DurableEvent, Published } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import { thinned } from "../lib/thinned.ts";

/** Points kept of a curve; beyond this every other one of the older half is dropped. */
const MAX_POINTS = 600;
/** Versions whose deltas' staleness is counted. */
const STALE_VERSIONS = 50;
/** Versions of staleness; more are counted as this. */
const MAX_STALE = 4;

/** A merged delta, and the tokens that it counted for: a newcomer's may count for a part of its own. */
type Merged = Accepted & { readonly counted: number };

/** The operator's curves, computed from the journal as it is read and as it grows. Memory is bounded. */
export class Curves {
  /** Hears of each accepted delta: whose it was, and what its report calls the device. */
  onAccepted: (volunteer: VolunteerKey, device: string) => void = () => {};
  /** Hears of each event as it happens, and while the run is opened of the journal's. */
  onEvent: (event: DurableEvent, ended: readonly Outcome[]) => void = () => {};
  /** How many deltas were refused since the server started: the journal does not know. */
  refused: () => number = () => 0;
  readonly #waiting = new Map<TicketId, Accepted>();
  #tokens = 0;
  #publishedAt = 0;
  /** Accepted since the newest version, and then discarded. */
  #lost = 0;
  /** Refused until the newest version was published. */
  #refusedBefore = 0;
  #versions: readonly VersionPoint[] = [];
  #heldOut: readonly MeasuredPoint[] = [];
  readonly #audits = { good: 0, bad: 0 };
  readonly #shared = { agreement: 0, server: 0, wrong: 0 };
  #stale: readonly (readonly number[])[] = [];

  /** One event of the journal, and the deltas whose fate it decided. */
  observe(event: DurableEvent, ended: readonly Outcome[]): void {
    this.onEvent(event, ended);
    if (event.type === "accepted") {
      this.#waiting.set(event.ticket, event);
      this.onAccepted(event.volunteer, event.report.device);
    }
    const merged: Merged[] = [];
    for (const { ticket, version, tokens } of ended) {
      const delta = this.#waiting.get(ticket);
      if (delta !== undefined && this.#waiting.delete(ticket)) {
        if (version === null) this.#lost++;
        else merged.push({ ...delta, counted: tokens ?? delta.tokens });
      }
    }
    if (event.type === "published") this.#publish(event, merged);
    else if (event.type === "evaluated") {
      const { version, at, tokens, loss, added } = event;
      if (version > (this.#heldOut.at(-1)?.version ?? -1)) {
        this.#heldOut = thinned(
          [...this.#heldOut, { version, at, tokens, loss, ...(added !== undefined && { added }) }],
          MAX_POINTS,
        );
      }
    } else if (event.type === "audited") {
      if (event.verdict !== "unclear") this.#audits[event.verdict]++;
    } else if (event.type === "settled") {
      this.#shared[event.by]++;
      this.#shared.wrong += event.wrong.length;
    } else if (event.type === "rolled-back") {
      this.#lost = 0;
      this.#refusedBefore = this.refused();
      this.#publishedAt = event.at;
    }
  }

  get versions(): readonly VersionPoint[] {
    return this.#versions;
  }

  get heldOut(): readonly MeasuredPoint[] {
    return this.#heldOut;
  }

  /** Audits since the run began, by verdict. */
  get audits(): Overview["audits"] {
    return { ...this.#audits };
  }

  /** Audits by volunteers since the run began. */
  get sharedAudits(): Overview["sharedAudits"] {
    return { ...this.#shared };
  }

  /** Merged deltas of the newest versions by staleness, from 0; the last counts that many or more. */
  get staleness(): readonly number[] {
    const counts: number[] = new Array(MAX_STALE + 1).fill(0);
    for (const late of this.#stale.flat()) counts[late] = (counts[late] ?? 0) + 1;
    return counts;
  }

  #publish({ version, at }: Published, deltas: readonly Merged[]): void {
    const late = deltas.map((delta) => Math.min(MAX_STALE, Math.max(0, version - 1 - delta.version)));
    this.#stale = [...this.#stale, late].slice(-STALE_VERSIONS);
    const trained = deltas.reduce((sum, delta) => sum + delta.tokens, 0);
    const nats = deltas.reduce((sum, delta) => sum + delta.tokens * delta.report.loss, 0);
    this.#tokens += deltas.reduce((sum, { counted }) => sum + counted, 0);
    const loss = trained === 0 ? 0 : Math.min(MAX_LOSS, Math.max(0, nats / trained));
    const ms = Math.max(0, at - this.#publishedAt);
    this.#publishedAt = at;
    const refused = this.refused();
    const came = deltas.length + this.#lost + Math.max(0, refused - this.#refusedBefore);
    this.#lost = 0;
    this.#refusedBefore = refused;
    const point = { version, at, tokens: this.#tokens, deltas: deltas.length, came, ms, loss };
    this.#versions = thinned([...this.#versions, point], MAX_POINTS);
  }
}
