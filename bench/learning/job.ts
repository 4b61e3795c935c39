import type { Settings } from "../../server/run/settings.ts";
import type { CorpusName } from "./corpus.ts";
import type { CrowdScenario, ScenarioName } from "./scenarios.ts";

/** GPT-2's shape, but for the vocabulary, and the micro-batch that goes with it. */
export const MODELS = {
  S: { model: { layers: 2, heads: 4, width: 64, context: 64 }, batch: 4 },
  M: { model: { layers: 4, heads: 4, width: 128, context: 128 }, batch: 4 },
} as const;
export type ModelName = keyof typeof MODELS;

/** Volunteers whose micro-batches make one synchronous batch, in every scenario. */
export const SYNC_WORKERS = 8;

/** One run to be made, by one process. */
export type Job = SwarmJob | SyncJob | CrowdJob | BoundJob;

interface Common {
  readonly model: ModelName;
  readonly corpus: CorpusName;
  readonly tokens: number;
  readonly seed: number;
}

/** What a simulated swarm is made of. */
export interface SimulatedSwarm {
  readonly scenario: ScenarioName;
  /** Their token budget ends the schedule, and `tokens` the simulation. */
  readonly settings: Settings;
  readonly tokens: number;
  readonly seed: number;
  /** Volunteers, where it is not the scenario's number. */
  readonly volunteers?: number;
  /** Points of its curve, where they are not the usual number. */
  readonly points?: number;
  /** Tokens of held-out text that each point, and the end, are measured on, where they are not the usual number. */
  readonly measured?: number;
  /** Machines at even steps over the scenario's range, instead of drawn: crowds then differ in number alone. */
  readonly even?: true;
  /**
   * Losses, in nats, whose times are wanted: the curve is fine around them, whatever `points` says, and the run ends when
   * it has been down to all of them. "end" is what it ends at after all of its tokens.
   */
  readonly targets?: readonly (number | "end")[];
}

export interface SwarmJob extends Common, SimulatedSwarm {
  readonly kind: "swarm";
  readonly recipe: string;
}

/** How long a crowd takes to its targets: the early one, and the deep one where that is wanted. */
export interface CrowdJob extends Common, SimulatedSwarm {
  readonly kind: "crowd";
  readonly recipe: string;
  readonly scenario: CrowdScenario;
  readonly volunteers: number;
  readonly targets: readonly [early: number] | readonly [early: number, deep: number | "end"];
}

/** What perfect machines would take to the same targets (bound.ts). */
export interface BoundJob extends Common {
  readonly kind: "bound";
  readonly rate: number;
  readonly targets: readonly [early: number] | readonly [early: number, deep: number];
}

export interface SyncJob extends Common {
  readonly kind: "sync";
  readonly optimizer: "adamw" | "muon";
  readonly rate: number;
}

/** Where a run stood: held-out loss against everything it can be held against. */
export interface Point {
  readonly tokens: number;
  readonly version: number;
  /** Virtual milliseconds since the run began. */
  readonly ms: number;
  /** Bytes all volunteers sent, and received, so far. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Nats a token. */
  readonly loss: number;
}

export interface Outcome<J = Job> {
  readonly job: J;
  readonly curve: readonly Point[];
  /** Held-out loss at the end, on a larger slice than the curve's. */
  readonly loss: number;
  readonly tokens: number;
  readonly versions: number;
  /** Of a swarm: bits a parameter, of the bodies of one delta and of what came down for one ticket. */
  readonly bitsUp: number;
  readonly bitsDown: number;
  /** Bits a parameter and ticket, over all tickets, of the snapshots that newcomers fetched to join; not in bitsDown. */
  readonly bitsJoin: number;
  /** Time spent training ÷ time present, over all volunteers. */
  readonly goodput: number;
  /** Merged deltas by their staleness, from 0. */
  readonly staleness: readonly number[];
  /** Deltas refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Mean inner steps of a merged delta. */
  readonly steps: number;
  /** Real seconds the run took to compute. */
  readonly seconds: number;
  /** The commit that it was made at; absent in runs that were kept before this was written down. */
  readonly commit?: string;
}
