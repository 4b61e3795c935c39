import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { isShown, type RunCard } from "../../protocol/card.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import type { IceServer, OptimizerSettings } from "../../protocol/manifest.ts";
import type { ModelShape } from "../../protocol/model.ts";
import type { RuleName } from "../trust/weigh.ts";
import { type OuterSettings, runFile } from "./run-file.ts";

/**
 * An operator's choices for a run: the run file's keys. Every key has a default, an unknown key is an
 * error. Once the run has begun (its first journal record holds them) an operator can change those of `TUNABLE` (protocol/operator.ts) and
 * `card`; all others stay.
 */
export interface Settings {
  /** The name that visitors see. Default "Murmuration". */
  readonly name: string;
  /** The operator's name in the consent text. Default "the owner of this page". */
  readonly operator: string;
  /** What people read of the run's purpose, people, text and licences. Default nothing; an operator may change it later. */
  readonly card: RunCard;
  /** Begins paused: no work is given until the operator starts it. Default false. */
  readonly startPaused: boolean;
  /** Draws the initial weights and the order of the text; u32. Default 1. */
  readonly seed: number;
  /** The network's size; the vocabulary is the corpus's. Default 2 layers, 4 heads, 96 wide, context 128. */
  readonly model: Omit<ModelShape, "vocabulary">;
  /** Sequences in each inner step, at most. Default 4; with Muon inside 16, so that it is worth its cost. */
  readonly batch: number;
  /**
   * Everybody works, and versions close on a clock (docs/LEARNING.md); or "turns": a version closes when most of those at
   * work have sent, and crowds wait for their turn. Default a clock, paced; "turns" in runs made before it was.
   */
  readonly rounds: "turns" | RoundSettings;
  /**
   * Inner steps of every ticket, or "paced": 3 to 30, as few as a volunteer's speed and link allow. Default
   * "paced" (docs/LEARNING.md).
   */
  readonly steps: number | "paced";
  /** The run is finished when this many tokens are merged. Default 20,000,000. */
  readonly tokenBudget: number;
  /** The highest inner learning rate. Default .3 ÷ the model's width, or ÷ 64 where that is less (docs/LEARNING.md). */
  readonly learningRate: number;
  /** Global tokens until the learning rate has risen to its highest. Default 50,000. */
  readonly warmupTokens: number;
  /** The part of the learning rate that the cosine ends at, at the token budget. Default 0.1. */
  readonly finalRate: number;
  /** The inner optimiser. Default AdamW with β .9 and .99, ε 1e-8, weight decay .1, gradients clipped to norm 1. */
  readonly optimizer: OptimizerSettings;
  /** Part of its residual that a volunteer keeps from one delta to the next. Default 0.95. */
  readonly residualDecay: number;
  /**
   * The outer step on the mean delta. Default Muon at rate 1.43 from 4 deltas on, momentum .5, and a rate that grows with
   * the volunteers and rises over 10 versions, and for deltas of Muon's Nesterov with momentum .5; on turns rate 1.3,
   * momentum .3; with Muon inside for good, plain averaging (docs/LEARNING.md).
   */
  readonly outer: OuterSettings;
  /**
   * The codec of deltas: "f32", "dense2", "dense4", "dense8", or {name: "topk", chunk, k, bits}; "auto" is dense4 up to
   * 2M parameters and sparse above. Default "auto".
   */
  readonly delta: CodecSpec | "auto";
  /**
   * The codec of broadcast diffs; "auto" is dense4 for the first 64 versions and dense2 from then on. Default midrise2, on
   * turns "auto".
   */
  readonly downlink: CodecSpec | "auto";
  /**
   * Deltas that a version closes with, at least. It waits for those of three in four of the volunteers at work on it. Default
   * 1 (docs/LEARNING.md).
   */
  readonly quorum: number;
  /**
   * Volunteers at work on one version, at most; the others wait for their turn, 45 seconds at most. More at once teach
   * a small model little more (docs/LEARNING.md); a large one has use for them. Default 8.
   */
  readonly crowd: number;
  /** Seconds a volunteer has for a ticket before its range goes to another. Default 120. */
  readonly leaseSeconds: number;
  /** Versions from one stored snapshot to the next. Default 10. */
  readonly snapshotEvery: number;
  /** Stored snapshots kept; older ones go when a newer one is durable. Default 3. */
  readonly keepSnapshots: number;
  /** Versions whose diffs are kept for volunteers that come back. Default 100. */
  readonly keepDiffs: number;
  /** Held-out windows of one context each that an evaluation reads. Default 64. */
  readonly evaluateWindows: number;
  /** Beginnings that every measured version goes on from, so that versions compare. Default none; 4 at most. */
  readonly prompts: readonly string[];
  /** How volunteers' deltas are trusted (docs/SECURITY.md). */
  readonly trust: {
    /** How a version's deltas are weighed: "default", "clipped-mean", or "mean", which trusts everybody. */
    readonly rules: RuleName;
    /** Part of the volunteers' training that audits may cost. Default 0.08; 0: no audits. */
    readonly auditShare: number;
    /**
     * "volunteers": those that agreed to it audit as well, three strangers each, where the server's own auditor has more to do
     * than it can. Default "volunteers"; "server", which is not kept, in runs made before there was a choice.
     */
    readonly auditors?: "volunteers";
    /** Part by which held-out loss may exceed its recent lowest before the run rolls back. Default 0.3. */
    readonly tripwire: number;
  };
  /** Whether visitors who agree to it pass the model and the text on to each other (docs/SECURITY.md). */
  readonly peers: {
    /** Default false: everything comes from this server. */
    readonly on: boolean;
    /** STUN and TURN servers that browsers may ask to reach each other. Default none: no third party is contacted. */
    readonly ice: readonly IceServer[];
  };
}

/** How rounds on a clock are paced. */
export interface RoundSettings {
  /** Of every round; "paced": by links, machines and the number of volunteers. Default "paced". */
  readonly seconds: number | "paced";
  /** Sequences of every micro-batch, `batch` at most; "paced": fewer where volunteers are many. Default "paced". */
  readonly batch: number | "paced";
  /** The inner optimiser; "paced": Muon, and without `outer.muonMomentum` AdamW for a crowd. Default "paced". */
  readonly inner: "adamw" | "muon" | "paced";
}

/** A run file that cannot be used. The message names the key and what it must be. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * Learning rate times width: wider models want smaller steps. The best rates found were 4e-3 to 5e-3 at width 64 and
 * 2.5e-3 at 128.
 */
const RATE_TIMES_WIDTH = 0.3;
/** Width below which rates do not grow: at .3 ÷ 32 a run diverges. */
const NARROW = 64;
/** Deltas from which on a version's mean is so much shorter than one of them that the whole rate is right. */
const FULL_AT = 4;

/** Learning rate times width with Muon inside, where larger steps are best: 1e-2 at width 64. */
const MUON_RATE_TIMES_WIDTH = 0.64;
/** Muon's rate over AdamW's, in a run that changes between both. */
export const MUON_TIMES = MUON_RATE_TIMES_WIDTH / RATE_TIMES_WIDTH;
/** Sequences: Newton–Schulz is then about a fifth of a step where the context is as long as the model is wide. */
const MUON_BATCH = 16;

const usualRate = (width: number, inner?: "muon"): number =>
  Number(((inner ? MUON_RATE_TIMES_WIDTH : RATE_TIMES_WIDTH) / width).toPrecision(3));

const usualRateOf = ({ width }: Settings["model"], inner?: "muon") =>
  usualRate(Math.max(NARROW, width), inner);

/** The outer step of a crowd in which everybody works. */
const CLOCK_OUTER = {
  ...{ kind: "muon", rate: 1.43, momentum: 0.5 },
  ...{ grows: true, muonMomentum: 0.5, warmupVersions: 10, startVersions: 16 },
};

/** Fills in what depends on other keys of a run file: rounds on a clock, and what goes with them or with Muon inside. */
function withDefaults(json: unknown): unknown {
  const file = z.looseObject({}).safeParse(json).data;
  if (file === undefined) return json;
  const clock = z.looseObject({ rounds: z.looseObject({}).prefault({}) }).safeParse(json).data;
  const trust = z.looseObject({ trust: z.looseObject({}).prefault({}) }).safeParse(json).data?.trust;
  const muon = z.object({ optimizer: z.object({ inner: z.literal("muon") }) }).safeParse(json).success;
  return {
    ...(clock && { outer: CLOCK_OUTER, downlink: "midrise2" }),
    ...(muon && { outer: { kind: "average" }, batch: MUON_BATCH }),
    ...file,
    ...(clock && { rounds: { ...(muon && { inner: "muon" }), ...clock.rounds } }),
    ...(trust && { trust: { auditors: "volunteers", ...trust } }),
  };
}

/** Checks a run file's parsed JSON and fills the defaults in. Throws {@link SettingsError}. */
export function parseSettings(json: unknown): Settings {
  const settings = storedSettings(withDefaults(json));
  const { outer } = settings;
  return outer.kind === "muon"
    ? { ...settings, outer: { ...outer, fullAt: outer.fullAt ?? FULL_AT } }
    : settings;
}

/**
 * Visitors read a new run's name and its operator's, so that nothing in them may be unseen; a run that was made before keeps
 * its own, and so does its file. Throws {@link SettingsError}.
 */
export function requireShown(settings: Pick<Settings, "name" | "operator">): void {
  for (const key of ["name", "operator"] as const) {
    const line = settings[key].replace(/[\ufe0e\ufe0f]/g, ""); // say only whether an emoji is in colour
    if (!isShown(line)) throw new SettingsError(`"${key}": has characters that cannot be shown in a line`);
  }
}

/**
 * Reads settings that a run began with, however long ago: what they do not name is as it was then. Throws
 * {@link SettingsError}.
 */
export function storedSettings(json: unknown): Settings {
  const result = runFile.safeParse(json);
  if (result.success) {
    const { data } = result;
    const { model, optimizer } = data;
    const inner = "inner" in optimizer ? optimizer.inner : undefined;
    return { ...data, learningRate: data.learningRate ?? usualRateOf(model, inner) };
  }
  throw new SettingsError(result.error.issues.map(describe).join("; "));
}

/** The settings of a run whose model came with it: a learning rate that nobody chose follows the model's width. */
export function withModel(settings: Settings, model: Settings["model"]): Settings {
  const { learningRate, optimizer } = settings;
  const { inner } = optimizer;
  const isUsual = learningRate === usualRateOf(settings.model, inner);
  return { ...settings, model, learningRate: isUsual ? usualRateOf(model, inner) : learningRate };
}

/**
 * A run file's settings with the defaults of each earlier release, the newest first: a run that it began with those goes on
 * with them.
 */
export function earlierDefaults(settings: Settings): readonly Settings[] {
  const turns = onTurns(settings);
  const { outer, learningRate, model } = turns;
  const { fullAt, ...whole } = outer;
  const today = usualRateOf(model);
  const before = {
    ...turns,
    outer: fullAt === FULL_AT ? whole : outer,
    learningRate: learningRate === today ? usualRate(model.width) : learningRate,
  };
  // A run that began with a model of --from had the rate of the default's width.
  const begunWith = { ...withModel(turns, DEFAULT_SETTINGS.model), model };
  const outers = outersBefore(settings);
  return [...outers, ...[settings, ...outers, turns, before, begunWith].map(auditedByServer)];
}

/**
 * The settings with the outer steps of a clock's earlier defaults, where today's are the file's: crowds had no start of their
 * own, before that deltas of Muon's were averaged, and before that the rate was whole from the first version on.
 */
function outersBefore(settings: Settings): Settings[] {
  const today = parseSettings({ optimizer: settings.optimizer });
  if (!isDeepStrictEqual(settings.outer, today.outer)) return [];
  const { startVersions: _, ...started } = settings.outer;
  const { muonMomentum: __, ...averaged } = started;
  const { warmupVersions: ___, ...atOnce } = averaged;
  return [started, averaged, atOnce].map((outer) => ({ ...settings, outer }));
}

/** The settings of a run whose volunteers audit nothing. */
function auditedByServer({ trust, ...settings }: Settings): Settings {
  const { auditors: _, ...rest } = trust;
  return { ...settings, trust: rest };
}

/** The settings with turns, and what went with them, where those of a clock are today's defaults. */
function onTurns(settings: Settings): Settings {
  const { optimizer, rounds, outer, downlink } = settings;
  const today = parseSettings({ optimizer });
  if (!isDeepStrictEqual(rounds, today.rounds)) return settings;
  const before = parseSettings({ optimizer, rounds: "turns" });
  return {
    ...settings,
    rounds: before.rounds,
    outer: isDeepStrictEqual(outer, today.outer) ? before.outer : outer,
    downlink: isDeepStrictEqual(downlink, today.downlink) ? before.downlink : downlink,
  };
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => (where === "" ? key : `${where}.${key}`));
    return `unknown key ${keys.map((key) => `"${key}"`).join(", ")}`;
  }
  return where === "" ? issue.message : `"${where}": ${issue.message}`;
}

/** The run that needs no run file. */
export const DEFAULT_SETTINGS: Settings = parseSettings({});
