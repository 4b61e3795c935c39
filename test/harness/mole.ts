import type { DurableEvent } from "../../server/coordinator/events.ts";
import type { Auditor, Evaluator } from "../../server/evaluate/ports.ts";
import type { Settings } from "../../server/run/settings.ts";
import type { Index } from "../../server/store/store.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { memoryIndex } from "./memory-index.ts";
import { countingRandom, TestVolunteer, type TinyRun, tinyRun, tinySettings, until } from "./tiny-run.ts";

/**
 * Two volunteers that are trusted, of whom one turns: it sends its deltas the wrong way round. The model is ten
 * numbers, and its loss how far they are from where they should be.
 */
const TARGET = Float32Array.from({ length: 10 }, (_, i) => Math.fround(i / 8 + 2));
export const lossOf = (weights: Float32Array): number =>
  Math.hypot(...weights.map((value, i) => value - TARGET[i]!));
/** A seventh of the way from where the model was at the beginning, as a delta: old minus new. */
export const STEP = new Float32Array(10).fill(-0.265);
export const WRONG = STEP.map((value) => -value);

export const evaluator: Evaluator = {
  evaluate: async (_version, weights) => ({ loss: lossOf(weights), sample: "" }),
};

/** `direction` is what the server's own training on gate text leads to. */
export const auditorThat = (direction: Float32Array): Auditor => ({
  audit: async ({ weights, delta }) => {
    const change = { before: lossOf(weights), after: lossOf(weights.map((value, i) => value - delta[i]!)) };
    return { assigned: change, gate: change };
  },
  direct: async () => direction,
  effects: async ({ frames }) => frames.map(() => [0]),
});
export const NOWHERE = new Float32Array(10);

/** Draws so high that only what must be audited is, until everything is to be. */
export function luckless(all = () => false): (bytes: number) => Uint8Array<ArrayBuffer> {
  const counting = countingRandom();
  return (bytes) => (bytes === 4 ? new Uint8Array(4).fill(all() ? 0 : 255) : counting(bytes));
}

export interface Swarm {
  readonly tiny: TinyRun;
  readonly honest: TestVolunteer;
  readonly mole: TestVolunteer;
  readonly events: DurableEvent[];
  readonly index: Index;
}

export type Kept = Partial<Pick<Settings, "snapshotEvery" | "keepSnapshots" | "keepDiffs">>;

const settingsOf = (tripwire: number, kept: Kept = {}): Settings =>
  tinySettings({
    snapshotEvery: 1,
    ...kept,
    trust: { tripwire, auditShare: 1, auditors: "server" }, // whose fresh tickets are as long as others
    outer: { kind: "average" },
    downlink: "f32",
  });

/** A run in which both have passed their audits. */
export async function trusting(
  tripwire: number,
  auditor = auditorThat(NOWHERE),
  events: DurableEvent[] = [],
  random = luckless(),
  measuring = evaluator,
  kept?: Kept,
): Promise<Swarm> {
  const index = memoryIndex();
  const tiny = await tinyRun({
    settings: settingsOf(tripwire, kept),
    evaluator: measuring,
    auditor,
    random,
    observe: (event) => events.push(event),
    index,
  });
  const [honest, mole] = [await TestVolunteer.create(), await TestVolunteer.create()];
  for (let version = 1; version <= 4; version++) {
    await honest.contribute(tiny.run, STEP);
    await mole.contribute(tiny.run, STEP);
    await until(() => of(events, "evaluated").at(-1)?.version === version);
  }
  await until(() => of(events, "audited").length >= 4);
  return { tiny, honest, mole, events, index };
}

export const of = <T extends DurableEvent["type"]>(events: readonly DurableEvent[], type: T) =>
  events.filter((event): event is Extract<DurableEvent, { type: T }> => event.type === type);
/** Both deltas of a version are the mole's, wrong way round. */
export async function betray({ tiny, mole, events }: Swarm): Promise<void> {
  const before = of(events, "published").length;
  await mole.contribute(tiny.run, WRONG);
  await mole.contribute(tiny.run, WRONG);
  await until(() => of(events, "published").length > before);
}
/** Another process opens what is there; `index` undefined for one that was lost, which asks for the whole journal. */
export async function reopened(files: MemoryFiles, index?: Index, kept?: Kept) {
  const events: DurableEvent[] = [];
  const observe = (event: DurableEvent) => events.push(event);
  const auditor = auditorThat(NOWHERE);
  const random = luckless();
  const tiny = await tinyRun({
    files,
    settings: settingsOf(0.05, kept),
    auditor,
    evaluator,
    random,
    observe,
    ...(index && { index }),
  });
  return { tiny, run: tiny.run, events };
}
