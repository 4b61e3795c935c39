import { Random } from "../lib/random.ts";
import { type AdamW, type Inner, ModelError, type ModelShape } from "./config.ts";
import { type Layout, layoutOf } from "./layout.ts";
import type { Trainer, TrainerFactory } from "./trainer.ts";

/**
 * One training step whose result is known, to run on a device before it is trusted: some mobile GPUs
 * compute zeros, some drivers compute nonsense. The shape is tiny, so that it costs a start-up and a
 * readback. Every op of a step takes part: all tensors get a gradient, the clip is active, weights decay.
 */
export const KNOWN_SHAPE: ModelShape = { layers: 1, heads: 2, width: 16, context: 8, vocabulary: 32 };
export const KNOWN_BATCH = 2;
/** The large epsilon makes a step smooth in the gradient; a small one makes it little more than its sign. */
export const KNOWN_OPTIMIZER: AdamW = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 0.01,
  weightDecay: 0.1,
  clip: 0.5,
};
export const KNOWN_RATE = 0.05;

/** Seeded weights, far enough from the initialisation that no tensor's gradient is tiny. */
export function knownWeights(): Float32Array {
  const random = new Random(2);
  return Float32Array.from({ length: layoutOf(KNOWN_SHAPE).length }, () => random.unit() - 0.5);
}

/** Seeded tokens [batch, context + 1]. */
export function knownTokens(): Uint16Array {
  const random = new Random(3);
  const length = KNOWN_BATCH * (KNOWN_SHAPE.context + 1);
  return Uint16Array.from({ length }, () => random.below(KNOWN_SHAPE.vocabulary));
}

/** A tensor's expected change: its norm, and its sum under seeded signs, which moves if values swap. */
export interface Fingerprint {
  readonly norm: number;
  readonly signed: number;
}

export function fingerprints(layout: Layout, flat: ArrayLike<number>): Fingerprint[] {
  const random = new Random(4);
  return layout.tensors.map(({ offset, length }) => {
    let [squares, signed] = [0, 0];
    for (let i = offset; i < offset + length; i++) {
      squares += flat[i]! ** 2;
      signed += random.below(2) === 0 ? flat[i]! : -flat[i]!;
    }
    return { norm: Math.sqrt(squares), signed };
  });
}

/** From the f64 oracle; known-gradient.test.ts derives them again. */
export const KNOWN_LOSS = 3.43127684271;
export const KNOWN_DELTA: readonly Fingerprint[] = [
  { norm: 0.503847199, signed: 0.650173804 }, // wte.weight
  { norm: 0.210308088, signed: -0.145728157 }, // wpe.weight
  { norm: 0.0844124906, signed: 0.0509977936 }, // h.0.ln_1.weight
  { norm: 0.107842519, signed: -0.140040308 }, // h.0.ln_1.bias
  { norm: 0.224537549, signed: -0.340525894 }, // h.0.attn.c_attn.weight
  { norm: 0.101548061, signed: 0.0860864534 }, // h.0.attn.c_attn.bias
  { norm: 0.249401843, signed: -0.333140664 }, // h.0.attn.c_proj.weight
  { norm: 0.103127068, signed: 0.0229502109 }, // h.0.attn.c_proj.bias
  { norm: 0.108893101, signed: 0.117767002 }, // h.0.ln_2.weight
  { norm: 0.109486733, signed: 0.0385577073 }, // h.0.ln_2.bias
  { norm: 0.321594077, signed: 0.0375387909 }, // h.0.mlp.c_fc.weight
  { norm: 0.136224902, signed: 0.0823463915 }, // h.0.mlp.c_fc.bias
  { norm: 0.32009785, signed: 0.196561409 }, // h.0.mlp.c_proj.weight
  { norm: 0.0884866387, signed: 0.0187294057 }, // h.0.mlp.c_proj.bias
  { norm: 0.145184821, signed: 0.0519947408 }, // ln_f.weight
  { norm: 0.152265654, signed: 0.0215214951 }, // ln_f.bias
];

/** The hidden matrices' changes with Muon inside. Everything else moves as above. */
export const KNOWN_MUON_DELTA: ReadonlyMap<string, Fingerprint> = new Map([
  ["h.0.attn.c_attn.weight", { norm: 0.229989467, signed: -0.389426587 }],
  ["h.0.attn.c_proj.weight", { norm: 0.12977994, signed: 0.0598812626 }],
  ["h.0.mlp.c_fc.weight", { norm: 0.282696088, signed: 0.0502030235 }],
  ["h.0.mlp.c_proj.weight", { norm: 0.264881146, signed: 0.0774819905 }],
]);

/** Relative error: GPUs may round sums and exponentials generously, and a wrong kernel is off by far more. */
const TOLERANCE = 1e-3;
/**
 * Relative error of Muon's matrices: it makes a gradient's weakest directions as strong as the others, and their
 * rounding too.
 */
const MUON_TOLERANCE = 1e-2;

/**
 * Makes a tiny trainer, takes the known step with the run's inner optimiser and disposes of it. Rejects with
 * `device-wrong`, saying what differs, or with what the factory rejects with.
 */
export async function checkTrainer(factory: TrainerFactory, inner: Inner = "adamw"): Promise<void> {
  const optimizer = inner === "muon" ? { ...KNOWN_OPTIMIZER, inner } : KNOWN_OPTIMIZER;
  const trainer = await factory({ shape: KNOWN_SHAPE, optimizer, batch: KNOWN_BATCH });
  try {
    await checkStep(trainer, inner);
  } finally {
    trainer.dispose();
  }
}

async function checkStep(trainer: Trainer, inner: Inner): Promise<void> {
  const wrong = (what: string, is: unknown, should: number) =>
    new ModelError("device-wrong", `${trainer.report.device} computes ${what} ${is} instead of ${should}`);
  await trainer.load(knownWeights());
  await trainer.step(knownTokens(), KNOWN_BATCH, KNOWN_RATE);
  const [loss] = await trainer.losses();
  if (loss === undefined || !(Math.abs(loss / KNOWN_LOSS - 1) < TOLERANCE))
    throw wrong("a loss of", loss, KNOWN_LOSS);
  const layout = layoutOf(KNOWN_SHAPE);
  const found = fingerprints(layout, await trainer.delta());
  for (const [i, { name }] of layout.tensors.entries()) {
    const turned = inner === "muon" ? KNOWN_MUON_DELTA.get(name) : undefined;
    const { norm, signed } = turned ?? KNOWN_DELTA[i]!;
    const is = found[i]!;
    const tolerance = (turned ? MUON_TOLERANCE : TOLERANCE) * norm;
    if (!(Math.abs(is.norm - norm) < tolerance)) throw wrong(`a change of ${name} of norm`, is.norm, norm);
    // A signed sum of n roundings strays by about their norm.
    if (!(Math.abs(is.signed - signed) < 4 * tolerance))
      throw wrong(`a change of ${name} of`, is.signed, signed);
  }
}
