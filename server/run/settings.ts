import { z } from "zod";
import {
  type CodecSpec,
  DENSE2,
  DENSE4,
  F32,
  isChunk,
  MAX_CHUNK,
  MIN_CHUNK,
} from "../../protocol/codec/codec.ts";
import { MAX_BATCH, MAX_LABEL, MAX_STEPS } from "../../protocol/limits.ts";
import { ICE_URL, type IceServer, MAX_ICE_CHARS, MAX_ICE_SERVERS } from "../../protocol/manifest.ts";
import type { RuleName } from "../trust/weigh.ts";

/**
 * What an operator may choose of a run: the run file's keys. Every key has a default, an unknown key is an
 * error, and all of it is fixed once the run has begun (its first journal record holds it).
 */
export interface Settings {
  /** What visitors read the run is called. Default "Murmuration". */
  readonly name: string;
  /** Who asks for the compute, as the consent text names them. Default "the owner of this page". */
  readonly operator: string;
  /** Begins paused: no work is given until the operator starts it. Default false. */
  readonly startPaused: boolean;
  /** Draws the initial weights and the order of the text; u32. Default 1. */
  readonly seed: number;
  /** The network's size; the vocabulary is the corpus's. Default 2 layers, 4 heads, 96 wide, context 128. */
  readonly model: {
    readonly layers: number;
    readonly heads: number;
    readonly width: number;
    readonly context: number;
  };
  /** Sequences in each inner step, at most. Default 4; with Muon inside 16, so that it is worth its cost. */
  readonly batch: number;
  /**
   * "turns": a version closes when most of those at work have sent, and crowds wait for their turn. Else everybody works,
   * and versions close on a clock (docs/LEARNING.md). Default "turns".
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
  readonly optimizer: {
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
    readonly clip: number;
    /** "muon": Muon for the hidden matrices, AdamW for the rest. Default "adamw", which is not kept. */
    readonly inner?: "muon";
  };
  /** What a volunteer keeps of its residual from one delta to the next. Default 0.95. */
  readonly residualDecay: number;
  /**
   * The outer step on the mean delta. Default Muon, rate 1.3 from 4 deltas on, momentum 0.3; with Muon inside, plain
   * averaging (docs/LEARNING.md).
   */
  readonly outer: OuterSettings;
  /**
   * The codec of deltas: "f32", "dense2", "dense4", "dense8", or {name: "topk", chunk, k, bits}; "auto" is dense4 up to
   * 2M parameters and sparse above. Default "auto".
   */
  readonly delta: CodecSpec | "auto";
  /** The codec of broadcast diffs; "auto" is dense4 for the first 64 versions and dense2 from then on. Default "auto". */
  readonly downlink: CodecSpec | "auto";
  /**
   * A version closes at a delta of three in four of the volunteers at work on it, and at least at so many. Default 1
   * (docs/LEARNING.md).
   */
  readonly quorum: number;
  /**
   * Volunteers at work on one version, at most; the others wait for their turn, 45 seconds at most. More at once teach
   * a small model little more (docs/LEARNING.md); a large one has use for them. Default 8.
   */
  readonly crowd: number;
  /** Seconds a volunteer has for a ticket before its range goes to another. Default 120. */
  readonly leaseSeconds: number;
  /** A snapshot is stored every so many versions. Default 10. */
  readonly snapshotEvery: number;
  /** Stored snapshots kept; older ones go when a newer one is durable. Default 3. */
  readonly keepSnapshots: number;
  /** Versions whose diffs are kept for volunteers that come back. Default 100. */
  readonly keepDiffs: number;
  /** Held-out windows of one context each that an evaluation reads. Default 64. */
  readonly evaluateWindows: number;
  /** How volunteers' deltas are trusted (docs/SECURITY.md). */
  readonly trust: {
    /** How a version's deltas are weighed: "default", "clipped-mean", or "mean", which trusts everybody. */
    readonly rules: RuleName;
    /** What audits may cost, as a part of what volunteers train. Default 0.08; 0: no audits. */
    readonly auditShare: number;
    /** Held-out loss may rise by this part over the lowest of late before the run rolls back. Default 0.3. */
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
  /** The inner optimiser; "paced": Muon for a few volunteers, AdamW for a crowd. Default "paced". */
  readonly inner: "adamw" | "muon" | "paced";
}

/**
 * Plain averaging (rate 1 replaces the weights by the volunteers' mean), DiLoCo's Nesterov (2311.08105), or Nesterov
 * with the step of every matrix orthogonalised (Muon on the server).
 */
export interface OuterSettings {
  readonly kind: "average" | "nesterov" | "muon";
  readonly rate: number;
  /** 0 for "average". */
  readonly momentum: number;
  /** A version of n deltas, fewer than this, takes (n + 1) ÷ (this + 1) of the rate. Absent: all; default 4 for "muon". */
  readonly fullAt?: number;
  /**
   * It follows the volunteers: the rate of a version of n deltas is ⁸√n times as high, and deltas of Muon's are averaged.
   * Absent: neither. Default in a run on a clock.
   */
  readonly grows?: true;
}

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const share = z.number().min(0).max(1);
const label = z.string().min(1).max(MAX_LABEL);

const outer = z
  .strictObject({
    kind: z.enum(["average", "nesterov", "muon"]).default("muon"),
    rate: z.number().gt(0).max(2).optional(),
    momentum: z.number().min(0).max(0.99).optional(),
    fullAt: count(1, 10_000).optional(),
    grows: z.boolean().optional(),
  })
  .refine((value) => value.kind !== "average" || !value.momentum, {
    path: ["momentum"],
    message: 'is not for "average"',
  })
  .refine((value) => value.kind !== "average" || value.fullAt === undefined, {
    path: ["fullAt"],
    message: 'is not for "average"',
  })
  .refine((value) => value.kind !== "average" || !value.grows, {
    path: ["grows"],
    message: 'is not for "average"',
  })
  .transform(({ kind, rate, momentum, fullAt, grows }): OuterSettings => {
    if (kind === "average") return { kind, rate: rate ?? 1, momentum: 0 };
    return {
      kind,
      rate: rate ?? (kind === "muon" ? 1.3 : 0.7),
      momentum: momentum ?? 0.3,
      ...(fullAt !== undefined && { fullAt }),
      ...(grows && { grows }),
    };
  });

const codeBits = z.union([z.literal(2), z.literal(4), z.literal(8)]);

/** A codec, by its short name or spelled out. */
const codec = z.union([
  z.enum(["f32", "dense2", "dense4", "dense8"]).transform((name): CodecSpec => SHORT[name]),
  z.strictObject({ name: z.literal("f32") }),
  z.strictObject({ name: z.literal("dense"), bits: codeBits }),
  z
    .strictObject({
      name: z.literal("topk"),
      chunk: count(MIN_CHUNK, MAX_CHUNK).refine(isChunk, { message: "is no power of two" }),
      k: count(1, MAX_CHUNK),
      bits: codeBits,
    })
    .refine(({ chunk, k }) => k <= chunk, { path: ["k"], message: "is more than a chunk has" }),
]);

const SHORT = {
  f32: F32,
  dense2: DENSE2,
  dense4: DENSE4,
  dense8: { name: "dense", bits: 8 },
} as const satisfies Record<string, CodecSpec>;

const schema = z.strictObject({
  name: label.default("Murmuration"),
  operator: label.default("the owner of this page"),
  startPaused: z.boolean().default(false),
  seed: count(0, 0xffff_ffff).default(1),
  model: z
    .strictObject({
      layers: count(1, 96).default(2),
      heads: count(1, 96).default(4),
      width: count(1, 8_192).default(96),
      context: count(2, 8_192).default(128),
    })
    .refine(({ heads, width }) => width % heads === 0, {
      path: ["width"],
      message: "is no multiple of heads",
    })
    .prefault({}),
  batch: count(1, MAX_BATCH).default(4),
  rounds: z
    .union([
      z.literal("turns"),
      z.strictObject({
        seconds: z.union([z.number().min(0.1).max(3_600), z.literal("paced")]).default("paced"),
        batch: z.union([count(1, MAX_BATCH), z.literal("paced")]).default("paced"),
        inner: z.enum(["adamw", "muon", "paced"]).default("paced"),
      }),
    ])
    .default("turns"),
  steps: z.union([count(1, MAX_STEPS), z.literal("paced")]).default("paced"),
  tokenBudget: count(1, Number.MAX_SAFE_INTEGER).default(20_000_000),
  learningRate: z.number().gt(0).max(1).nullable().default(null), // filled in by parseSettings
  warmupTokens: count(0, Number.MAX_SAFE_INTEGER).default(50_000),
  finalRate: share.default(0.1),
  optimizer: z
    .strictObject({
      beta1: z.number().min(0).max(0.9999).default(0.9),
      beta2: z.number().min(0).max(0.99999).default(0.99),
      epsilon: z.number().min(1e-12).max(1).default(1e-8),
      weightDecay: z.number().min(0).max(10).default(0.1),
      clip: z.number().min(1e-6).max(1e6).default(1),
      inner: z.enum(["adamw", "muon"]).default("adamw"),
    })
    // What is not there in runs made before must not be there in runs like them.
    .transform(({ inner, ...adamW }) => (inner === "muon" ? { ...adamW, inner } : adamW))
    .prefault({}),
  residualDecay: share.default(0.95),
  outer: outer.prefault({}),
  delta: z.union([codec, z.literal("auto")]).default("auto"),
  downlink: z.union([z.literal("auto"), codec]).default("auto"),
  quorum: count(1, 10_000).default(1),
  crowd: count(1, 10_000).default(8),
  leaseSeconds: count(1, 86_400).default(120),
  snapshotEvery: count(1, 1_000_000).default(10),
  keepSnapshots: count(1, 1_000).default(3),
  keepDiffs: count(1, 1_000_000).default(100),
  evaluateWindows: count(1, 100_000).default(64),
  trust: z
    .strictObject({
      rules: z.enum(["default", "clipped-mean", "mean"]).default("default"),
      auditShare: share.default(0.08),
      tripwire: z.number().gt(0).max(1_000).default(0.3),
    })
    .prefault({}),
  peers: z
    .strictObject({
      on: z.boolean().default(false),
      ice: z
        .array(
          z
            .strictObject({
              urls: z.string().max(MAX_ICE_CHARS).regex(ICE_URL, "is no stun:, turn: or turns: address"),
              username: z.string().max(MAX_ICE_CHARS).optional(),
              credential: z.string().max(MAX_ICE_CHARS).optional(),
            })
            .transform(
              ({ urls, username, credential }): IceServer => ({
                urls,
                ...(username !== undefined && { username }),
                ...(credential !== undefined && { credential }),
              }),
            ),
        )
        .max(MAX_ICE_SERVERS)
        .default([]),
    })
    .prefault({}),
});

/** A run file that cannot be used. The message names the key and what it must be. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Wider models want smaller steps: the best rates found were 4e-3 to 5e-3 at width 64 and 2.5e-3 at 128. */
const RATE_TIMES_WIDTH = 0.3;
/** Narrower ones do not want larger steps than this width's: at .3 ÷ 32 a run diverges. */
const NARROW = 64;
/** Deltas from which on a version's mean is so much shorter than one of them that the whole rate is right. */
const FULL_AT = 4;

/** With Muon inside larger steps are best: 1e-2 at width 64. */
const MUON_RATE_TIMES_WIDTH = 0.64;
/** Muon's rate over AdamW's, in a run that changes between both. */
export const MUON_TIMES = MUON_RATE_TIMES_WIDTH / RATE_TIMES_WIDTH;
/** Sequences: Newton–Schulz is then about a fifth of a step where the context is as long as the model is wide. */
const MUON_BATCH = 16;

/** Tokens of a step with Muon inside, as times of the width: Newton–Schulz costs about 5 × width ÷ tokens of a step. */
const MUON_TOKENS_TIMES_WIDTH = 16;
const MAX_MUON_BATCH = 64;

/** Sequences of a micro-batch with Muon inside, at most. */
export function muonBatch({ batch, optimizer, model: { width, context } }: Settings): number {
  if (optimizer.inner === "muon") return batch;
  const worth = Math.round((MUON_TOKENS_TIMES_WIDTH * width) / context);
  return Math.max(batch, Math.min(MAX_MUON_BATCH, worth));
}

/** Sequences of the largest micro-batch that a ticket may ask for. */
export function largestBatch(settings: Settings): number {
  const { rounds, batch } = settings;
  if (rounds === "turns" || rounds.inner === "adamw") return batch;
  return rounds.batch === "paced" ? muonBatch(settings) : rounds.batch;
}

const usualRate = (width: number, inner?: "muon"): number =>
  Number(((inner ? MUON_RATE_TIMES_WIDTH : RATE_TIMES_WIDTH) / width).toPrecision(3));

/** The outer step of a crowd in which everybody works. */
const CLOCK_OUTER = { kind: "muon", rate: 1.43, momentum: 0.5, grows: true };

/** What a run file on a clock, or with Muon inside, need not say. */
function withDefaults(json: unknown): unknown {
  const told = z.looseObject({ rounds: z.looseObject({}) }).safeParse(json).data;
  const muon = z.object({ optimizer: z.object({ inner: z.literal("muon") }) }).safeParse(json).success;
  if (told === undefined && !muon) return json;
  return {
    outer: muon ? { kind: "average" } : CLOCK_OUTER,
    ...(muon && { batch: MUON_BATCH }),
    ...(json as object),
    ...(muon && told && { rounds: { inner: "muon", ...told.rounds } }),
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
 * Reads settings that a run began with, however long ago: what they do not name is as it was then. Throws
 * {@link SettingsError}.
 */
export function storedSettings(json: unknown): Settings {
  const result = schema.safeParse(json);
  if (result.success) {
    const { data } = result;
    const { model, optimizer } = data;
    const inner = "inner" in optimizer ? optimizer.inner : undefined;
    return { ...data, learningRate: data.learningRate ?? usualRate(Math.max(NARROW, model.width), inner) };
  }
  throw new SettingsError(result.error.issues.map(describe).join("; "));
}

/** What a run file's settings were with the defaults of earlier releases: a run that they began goes on with them. */
export function earlierDefaults(settings: Settings): Settings {
  const { outer, learningRate, model } = settings;
  const { fullAt, ...whole } = outer;
  const today = usualRate(Math.max(NARROW, model.width));
  return {
    ...settings,
    outer: fullAt === FULL_AT ? whole : outer,
    learningRate: learningRate === today ? usualRate(model.width) : learningRate,
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
