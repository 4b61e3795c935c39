import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asArray, asInteger, asObject, asText, parseJson } from "../../protocol/guards.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { SiteCount } from "../../protocol/operator.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import { forgetOldest } from "../lib/oldest.ts";

const FILE = "sites.json";
/** Milliseconds that a volunteer counts as here after its last request. */
const HERE_MS = 60_000;
/** Volunteers whose site is remembered, in memory alone. */
const MAX_VOLUNTEERS = 20_000;
/** Deltas that wait for their merge. */
const MAX_WAITING = 100_000;
/** Characters of an origin. */
const MAX_ORIGIN = 300;

interface Count {
  tickets: number;
  tokens: number;
}

/**
 * Tickets and tokens by embedding site: only for the origins that the operator named, so that their number is
 * bounded and no stranger's word becomes one. Kept are two numbers a site; whose they are is remembered in memory,
 * until the delta is merged or the volunteer has gone. A client says itself which page it stands on: statistics, not
 * proof.
 */
export class Sites {
  readonly #file: string;
  readonly #now: () => number;
  readonly #counts: Map<string, Count>;
  readonly #seen = new Map<VolunteerKey, { readonly site: string; readonly at: number }>();
  readonly #waiting = new Map<TicketId, { readonly site: string; readonly tokens: number }>();
  #saved = "";

  private constructor(directory: string, now: () => number, counts: Map<string, Count>) {
    this.#file = join(directory, FILE);
    this.#now = now;
    this.#counts = counts;
    this.#saved = this.#text();
  }

  /** `now` is monotonic, in milliseconds. What was counted before is gone on with. */
  static async open(directory: string, origins: readonly string[], now: () => number): Promise<Sites> {
    const before = await stored(join(directory, FILE));
    const counts = origins.map(
      (origin) => [origin, before.get(origin) ?? { tickets: 0, tokens: 0 }] as const,
    );
    return new Sites(directory, now, new Map(counts));
  }

  /** A volunteer made a signed request, from a frame that says it stands on `site`. */
  asked(volunteer: VolunteerKey, site: string | undefined): void {
    this.#seen.delete(volunteer);
    if (site === undefined || !this.#counts.has(site)) return;
    this.#seen.set(volunteer, { site, at: this.#now() });
    forgetOldest(this.#seen, MAX_VOLUNTEERS);
  }

  forget(volunteer: VolunteerKey): void {
    this.#seen.delete(volunteer);
  }

  /** One event of the journal, and the deltas whose fate it decided. */
  observe(event: DurableEvent, ended: readonly Outcome[]): void {
    const seen = event.type === "accepted" ? this.#seen.get(event.volunteer) : undefined;
    const count = seen && this.#counts.get(seen.site);
    if (event.type === "accepted" && seen !== undefined && count !== undefined) {
      count.tickets++;
      this.#waiting.set(event.ticket, { site: seen.site, tokens: event.tokens });
      forgetOldest(this.#waiting, MAX_WAITING);
    }
    for (const { ticket, version, tokens } of ended) {
      const waiting = this.#waiting.get(ticket);
      const site = waiting && this.#counts.get(waiting.site);
      if (version !== null && waiting !== undefined && site !== undefined)
        site.tokens += tokens ?? waiting.tokens;
      this.#waiting.delete(ticket);
    }
  }

  /** In the order in which the operator named them. */
  read(): readonly SiteCount[] {
    const since = this.#now() - HERE_MS;
    const here = new Map<string, number>();
    for (const { site, at } of this.#seen.values()) {
      if (at >= since) here.set(site, (here.get(site) ?? 0) + 1);
    }
    return [...this.#counts].map(([origin, { tickets, tokens }]) => ({
      ...{ origin, tickets, tokens },
      volunteers: here.get(origin) ?? 0,
    }));
  }

  /** Tokens merged by way of a site; undefined for one that was not named. */
  tokensOf(origin: string): number | undefined {
    return this.#counts.get(origin)?.tokens;
  }

  /** Writes the counts where they have changed. Call it every few seconds: what is lost in between is a statistic. */
  async save(): Promise<void> {
    const text = this.#text();
    if (text === this.#saved) return;
    await writeFile(`${this.#file}.new`, text);
    await rename(`${this.#file}.new`, this.#file);
    this.#saved = text;
  }

  #text(): string {
    const sites = [...this.#counts].map(([origin, count]) => ({ origin, ...count }));
    return `${JSON.stringify({ sites }, null, 2)}\n`;
  }
}

/** A damaged file counts as an empty one. */
async function stored(file: string): Promise<Map<string, Count>> {
  try {
    const { sites } = parseJson(await readFile(file));
    const count = (value: unknown) => asInteger(value, "count", 0, Number.MAX_SAFE_INTEGER);
    return new Map(
      asArray(sites, "sites", 10_000).map((entry) => {
        const { origin, tickets, tokens } = asObject(entry, "site");
        return [asText(origin, "origin", MAX_ORIGIN), { tickets: count(tickets), tokens: count(tokens) }];
      }),
    );
  } catch {
    return new Map();
  }
}
