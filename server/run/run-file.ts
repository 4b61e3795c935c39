import { z } from "zod";
import { messageOf } from "../../model/lib/message-of.ts";
import { cardField, parseCard, type RunCard } from "../../protocol/card.ts";
import {
  type CodecSpec,
  DENSE2,
  DENSE4,
  F32,
  isChunk,
  MAX_CHUNK,
  MIDRISE1,
  MIDRISE2,
  MIDRISE3,
  MIN_CHUNK,
} from "../../protocol/codec/codec.ts";
import { MAX_BATCH, MAX_LABEL, MAX_PROMPT_CHARS, MAX_PROMPTS, MAX_STEPS } from "../../protocol/limits.ts";
import { ICE_URL, type IceServer, MAX_ICE_CHARS, MAX_ICE_SERVERS } from "../../protocol/manifest.ts";
import { isSeen } from "../../protocol/text.ts";

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
  /**
   * Momentum of Nesterov's, at rate 1, for a crowd's versions of deltas that were trained with Muon inside; fewer are averaged.
   * With it a paced inner optimiser is Muon for crowds too. Absent: all such versions are averaged. Default .5 in a run on a
   * clock.
   */
  readonly muonMomentum?: number;
  /**
   * What fewer deltas than a crowd's have of its outer step grows with what they count for. Absent: a version is a crowd's or
   * averaged, which is the default.
   */
  readonly crowdGrows?: true;
  /**
   * Versions over which the rate rises from 1: the first deltas are nearly the same, and more than their mean overshoots.
   * Absent: it is whole from the first version on. Default 10 in a run on a clock.
   */
  readonly warmupVersions?: number;
  /**
   * Versions over which a crowd with Muon inside starts: its matrices' outer step falls from twice as far to as far as everything
   * else's, and its warm-up takes three steps. Absent: neither. Default 16 in a run on a clock.
   */
  readonly startVersions?: number;
}

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const share = z.number().min(0).max(1);
const label = z.string().min(1).max(MAX_LABEL);

/** A field of the run's card, by the rules of the protocol (M3). */
const said = (key: keyof RunCard) =>
  z
    .unknown()
    .transform((given, context) => {
      try {
        return cardField(key, given);
      } catch (error) {
        const message = messageOf(error).replace(`card.${key} `, "");
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
    })
    .optional();

const card = z
  .strictObject({
    purpose: said("purpose"),
    description: said("description"),
    who: said("who"),
    contact: said("contact"),
    link: said("link"),
    language: said("language"),
    textSource: said("textSource"),
    textLicence: said("textLicence"),
    modelLicence: said("modelLicence"),
  } satisfies Record<keyof RunCard, unknown>)
  .transform((fields): RunCard => parseCard(fields)); // without what says nothing

const outer = z
  .strictObject({
    kind: z.enum(["average", "nesterov", "muon"]).default("muon"),
    rate: z.number().gt(0).max(2).optional(),
    momentum: z.number().min(0).max(0.99).optional(),
    fullAt: count(1, 10_000).optional(),
    grows: z.boolean().optional(),
    muonMomentum: z.number().min(0).max(0.99).optional(),
    crowdGrows: z.boolean().optional(),
    warmupVersions: count(1, 10_000).optional(),
    startVersions: count(1, 10_000).optional(),
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
  .refine((value) => value.grows || value.muonMomentum === undefined, {
    path: ["muonMomentum"],
    message: "needs grows",
  })
  .refine((value) => value.kind !== "average" || value.warmupVersions === undefined, {
    path: ["warmupVersions"],
    message: 'is not for "average"',
  })
  .refine((value) => value.muonMomentum !== undefined || value.startVersions === undefined, {
    path: ["startVersions"],
    message: "needs muonMomentum",
  })
  .refine((value) => value.muonMomentum !== undefined || !value.crowdGrows, {
    path: ["crowdGrows"],
    message: "needs muonMomentum",
  })
  .transform(({ kind, rate, momentum, fullAt, grows, ...crowds }): OuterSettings => {
    const { muonMomentum, crowdGrows, warmupVersions, startVersions } = crowds;
    if (kind === "average") return { kind, rate: rate ?? 1, momentum: 0 };
    return {
      kind,
      rate: rate ?? (kind === "muon" ? 1.3 : 0.7),
      momentum: momentum ?? 0.3,
      ...(fullAt !== undefined && { fullAt }),
      ...(grows && { grows }),
      ...(muonMomentum !== undefined && { muonMomentum }),
      ...(crowdGrows && { crowdGrows }),
      ...(warmupVersions !== undefined && { warmupVersions }),
      ...(startVersions !== undefined && { startVersions }),
    };
  });

const codeBits = z.union([z.literal(2), z.literal(4), z.literal(8)]);

/** A codec, by its short name or spelled out. */
const codec = z.union([
  z
    .enum(["f32", "dense2", "dense4", "dense8", "midrise1", "midrise2", "midrise3"])
    .transform((name): CodecSpec => SHORT[name]),
  z.strictObject({ name: z.literal("f32") }),
  z.strictObject({ name: z.literal("dense"), bits: codeBits }),
  z.strictObject({ name: z.literal("midrise"), bits: z.union([z.literal(1), z.literal(2), z.literal(3)]) }),
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
  midrise1: MIDRISE1,
  midrise2: MIDRISE2,
  midrise3: MIDRISE3,
} as const satisfies Record<string, CodecSpec>;

/** The keys of a run file, with the defaults of those that do not depend on others. */
export const runFile = z.strictObject({
  name: label.default("Murmuration"),
  operator: label.default("the owner of this page"),
  card: card.prefault({}),
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
    .union(
      [
        z.literal("turns"),
        z.strictObject({
          seconds: z.union([z.number().min(0.1).max(3_600), z.literal("paced")]).default("paced"),
          batch: z.union([count(1, MAX_BATCH), z.literal("paced")]).default("paced"),
          inner: z.enum(["adamw", "muon", "paced"]).default("paced"),
        }),
      ],
      { error: 'is "turns", or an object of seconds, batch and inner' },
    )
    .default("turns"), // of a run made before there was a choice; a new one gets parseSettings' default
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
  prompts: z
    .array(
      z
        .string()
        .min(1)
        .max(MAX_PROMPT_CHARS)
        .refine((prompt) => prompt.split("\n").every(isSeen), {
          message: "has characters that cannot be shown in a line",
        }),
    )
    .max(MAX_PROMPTS)
    .default([]),
  trust: z
    .strictObject({
      rules: z.enum(["default", "clipped-mean", "mean"]).default("default"),
      auditShare: share.default(0.08),
      auditors: z.enum(["server", "volunteers"]).default("server"), // a new run gets parseSettings' default
      tripwire: z.number().gt(0).max(1_000).default(0.3),
    })
    .transform(({ auditors, ...rest }) => (auditors === "volunteers" ? { ...rest, auditors } : rest))
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
