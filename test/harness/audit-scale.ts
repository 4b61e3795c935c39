import { Random } from "../../model/lib/random.ts";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Measured } from "../../protocol/shared-audit.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { begin } from "../../server/coordinator/state.ts";
import { Audits } from "../../server/run/audits.ts";
import { VolunteerAudits } from "../../server/run/volunteer-audits.ts";
import { lookCost } from "../../server/trust/audit.ts";
import { Gauge } from "../../server/trust/gauge.ts";
import { PLACES } from "../../server/trust/shared-audits.ts";
import {
  addStrike,
  isFreshAt,
  NO_TRUST,
  recordPass,
  seen,
  standingOf,
  type Trust,
} from "../../server/trust/standing.ts";
import { NOTHING_USUAL, withSize } from "../../server/trust/usual.ts";
import type { VirtualTime } from "./virtual-time.ts";

const HASH = "0".repeat(64) as Hash;
const RUN = "0".repeat(64) as RunId;
const CONTEXT = 32;
const BATCH = 4;
const STEPS = 10;
const STEP_TOKENS = BATCH * CONTEXT;
/** Milliseconds of a ticket's training, on every machine, the server's thread among them. */
const TICKET_MS = 10_000;
const MS_PER_TOKEN = TICKET_MS / (STEPS * STEP_TOKENS);
const VERSION_MS = 10_000;
const TRUE: Measured = {
  assigned: { before: 3, after: 2, error: 0 },
  gate: { before: 3, after: 2, error: 0 },
  distance: 0,
  shortened: 0.1,
  length: 1,
};

/** What audits were to a run of so many volunteers. */
export interface AuditScale {
  /** Deltas with a verdict, as a part of all. */
  readonly audited: number;
  /** Time spent on audits, by everybody, as a part of the time spent training. */
  readonly share: number;
  /** Of the server's thread, the time that it was busy. */
  readonly thread: number;
  /** Audits that volunteers made, as a part of all. */
  readonly shared: number;
}

/**
 * A run of veterans on a virtual clock, each its own network, through the product's own audits; nothing is trained. Alone: the
 * server's thread audits and nobody else, as before.
 */
export async function auditScale(
  time: VirtualTime,
  volunteers: number,
  tickets: number,
  alone = false,
): Promise<AuditScale> {
  const random = new Random(volunteers);
  const keys = Array.from({ length: volunteers }, (_, i) => `v${i}`.padEnd(43, "-") as VolunteerKey);
  let trust: Trust = { ...NO_TRUST, usual: withSize(NOTHING_USUAL, 0, { size: 1 }) };
  const none = "".padEnd(22, "-") as TicketId;
  for (const key of keys) {
    for (let n = 0; n < 40; n++) trust = seen(trust, key, none);
    trust = recordPass(recordPass(trust, key, none), key, none);
  }
  let [training, auditing, busy, verdicts, settledBy, ids] = [0, 0, 0, 0, 0, 0];
  /** Deltas neither of the first moments, nor so late that their audit may be open at the end. */
  const counted = new Set<TicketId>();
  let looked = 0;
  const draw = () => random.u32();
  const costOf = ({ fresh, steps }: Pick<Ticket, "fresh" | "steps">, batches: number) =>
    lookCost({ batches, own: false }, STEP_TOKENS, steps * STEP_TOKENS, fresh) * MS_PER_TOKEN;
  const failed = (error: unknown) => {
    throw error;
  };
  const shared = new VolunteerAudits({
    ...{ run: RUN, signer: () => new Uint8Array(64), parameters: 10, draw, now: () => time.now },
    drawId: () => `a${ids++}`.padEnd(22, "-") as TicketId,
    standing: (volunteer) => standingOf(trust, volunteer),
    record: async ({ wrong }) => {
      settledBy++;
      for (const one of wrong) trust = addStrike(trust, one, time.now);
    },
    failed,
  });
  const audits = new Audits({
    ...{ share: 0.08, context: CONTEXT, batch: BATCH, parameters: 10, draw },
    gauge: new Gauge(10, F32, [], () => 0.5),
    auditor: {
      audit: async ({ ticket, batches }) => {
        const ms = costOf(ticket, batches);
        busy += ms;
        await time.sleep(ms);
        return TRUE;
      },
      direct: async ({ rates }) => {
        busy += rates.length * STEP_TOKENS * MS_PER_TOKEN;
        await time.sleep(rates.length * STEP_TOKENS * MS_PER_TOKEN);
        return new Float32Array(10);
      },
      effects: async ({ frames }) => frames.map(() => [0]),
    },
    state: () => ({
      ...begin({ type: "created", at: 0, hash: HASH, genesis: {} }),
      ...{ trust, version: Math.floor(time.now / VERSION_MS) },
    }),
    rates: (_tokens, steps) => Array<number>(steps).fill(0.01),
    weights: async () => new Float32Array(10),
    shard: async () => new Uint8Array(4_000),
    record: async ({ ticket, volunteer }) => {
      verdicts++;
      looked += counted.has(ticket) ? 1 : 0;
      trust = recordPass(trust, volunteer, ticket);
    },
    failed,
    ...(!alone && { volunteers: shared }),
  });
  const frame = encodeFrame(F32, new Float32Array(10).fill(0.5));
  let position = 0;
  const work = async (volunteer: VolunteerKey, turn: number) => {
    await time.sleep((turn / volunteers) * TICKET_MS);
    for (let n = 0; n < tickets; n++) {
      shared.tick();
      const audit = await shared.claim(volunteer, undefined);
      if (audit !== undefined) {
        const ms = costOf(audit, audit.batches);
        auditing += ms;
        await time.sleep(ms);
        shared.answer(volunteer, { audit: audit.id, measured: TRUE });
      }
      const fresh = isFreshAt(position++);
      const steps = fresh && !alone ? Math.ceil(STEPS / PLACES) : STEPS;
      const ms = (TICKET_MS * steps) / STEPS;
      const ticket: Ticket = {
        ...{ run: RUN, id: `t${position}`.padEnd(22, "-") as TicketId, volunteer, version: 0, hash: HASH },
        ...{ shard: HASH, window: 0, seed: 1, steps, batch: BATCH, fresh },
        ...{ rates: Array<number>(steps).fill(0.01), lease: 60_000, issued: 0, signature: "" as Signature },
      };
      training += ms;
      await time.sleep(ms);
      trust = seen(trust, volunteer, ticket.id);
      const upload = { ticket, report: { loss: 3, trainMs: 1, device: "" }, frame };
      const { id } = ticket;
      if (n >= tickets / 3 && n < tickets - 4) counted.add(id);
      audits.consider(upload, {
        ticket: id,
        volunteer,
        version: 0,
        tokens: steps * STEP_TOKENS,
        facts: { size: 1 },
      });
    }
  };
  await time.until(Promise.all(keys.map(work)));
  const elapsed = time.now;
  return {
    audited: looked / counted.size,
    share: (auditing + busy) / training,
    thread: Math.min(1, busy / elapsed),
    shared: settledBy / Math.max(1, verdicts),
  };
}
