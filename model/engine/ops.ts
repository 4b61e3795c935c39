import type { AdamW } from "../contract/config.ts";
import type { MuonMatrix } from "../contract/muon.ts";

/**
 * The fused operations that a training step is made of. A device (wasm/, webgpu/) executes these and nothing
 * else; schedule.ts arranges them. All matrices are row-major; `rows` = sequences × tokens. They are dense, except
 * that rows of logits may end in padding.
 *
 * Contract for devices: ops run in list order, each seeing what the ones before wrote. Within an op no two
 * slots overlap. Every sum has a fixed order (no float atomics): the same inputs give the same bytes.
 */
export type Op =
  | Embed
  | EmbedBackward
  | LayerNorm
  | LayerNormBackward
  | Gemm
  | Gelu
  | Convert
  | Attention
  | AttentionBackward
  | CrossEntropy
  | Norm
  | AdamWStep
  | MuonStep
  | Delta;

/**
 * Flat memories. The first six hold layoutOf(shape).length f32 values each, but `v` leaves out what is Muon's
 * (second-moments.ts); `activations` what plan.ts lays out; `tokens` u32 values that the host writes before each
 * micro-batch.
 */
export type Arena =
  | "parameters"
  | "gradients"
  | "m"
  | "v"
  /** The weights a ticket began with. */
  | "loaded"
  /** The residual of earlier payloads. */
  | "residual"
  | "activations"
  | "tokens";

/**
 * A piece of an arena; offset and length in values of 4 bytes. Activations get their offset from plan.ts. Where a device has a
 * vector in several parts, the offset counts from the part's beginning.
 */
export interface Slot {
  readonly arena: Arena;
  readonly part?: number;
  /** The activation that this is a piece of, from value `from` on: it gets its place with it. */
  readonly within?: { readonly slot: Slot; readonly from: number };
  offset: number;
  readonly length: number;
}

/** out[r] = table[tokens[r]] + positions[r mod T]. */
export interface Embed {
  readonly op: "embed";
  /** u32 [rows] */
  readonly tokens: Slot;
  /** [vocabulary, width] */
  readonly table: Slot;
  /** [≥ T, width] */
  readonly positions: Slot;
  /** [rows, width] */
  readonly out: Slot;
  readonly rows: number;
  /** Tokens a sequence, T. */
  readonly context: number;
  readonly width: number;
}

/**
 * dTable[v] += Σ dOut[r] over the rows r that held token v: always added, since the tied head wrote first.
 * dPositions[t] = Σ_b dOut[b·T + t] (added where `accumulate`).
 * The host sorts the rows by token: those of token v are order[starts[v] … starts[v+1]), ascending.
 */
export interface EmbedBackward {
  readonly op: "embed-backward";
  readonly dOut: Slot;
  /** u32 [vocabulary + 1] */
  readonly starts: Slot;
  /** u32 [rows] */
  readonly order: Slot;
  readonly dTable: Slot;
  readonly dPositions: Slot;
  readonly rows: number;
  readonly context: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly accumulate: boolean;
}

/** x̂ = (x − μ)·ρ with ρ = 1/√(σ² + 1e-5) a row; out = x̂∘weight + bias; stats[r] = (μ, ρ). */
export interface LayerNorm {
  readonly op: "layernorm";
  readonly x: Slot;
  readonly weight: Slot;
  readonly bias: Slot;
  readonly out: Slot;
  /** [rows, 2] */
  readonly stats: Slot;
  readonly rows: number;
  readonly width: number;
}

/**
 * With d̂ = dOut∘weight: dx = ρ·(d̂ − mean(d̂) − x̂·mean(d̂∘x̂)) a row, added to what dx holds where `residual`
 * (the skip connection's gradient is already there). dWeight = Σ_r dOut∘x̂, dBias = Σ_r dOut, added where
 * `accumulate`.
 */
export interface LayerNormBackward {
  readonly op: "layernorm-backward";
  readonly x: Slot;
  readonly stats: Slot;
  readonly weight: Slot;
  readonly dOut: Slot;
  readonly dx: Slot;
  readonly dWeight: Slot;
  readonly dBias: Slot;
  readonly rows: number;
  readonly width: number;
  readonly residual: boolean;
  readonly accumulate: boolean;
}

/**
 * product[m, n] = Σ_k A[m, k]·B[k, n], where the mode says how the operands lie in memory:
 * NN: a is [m, k], b is [k, n]. NT: a is [m, k], b is [n, k]. TN: a is [k, m], b is [k, n].
 * Then the epilogue, in this order: + bias[n], + residual[m, n], activation, + out where `accumulate`.
 */
export interface Gemm {
  readonly op: "gemm";
  readonly mode: "NN" | "NT" | "TN";
  readonly a: Slot;
  readonly b: Slot;
  readonly out: Slot;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /**
   * Values from one row to the next: of a in modes NN and TN, of out in NT. Beyond k, m or n of them a row is padding:
   * zeros in a, anything in out. What lies behind b's last row is finite.
   */
  readonly stride: number;
  /**
   * That a device may do the next op, a product too, at the same time: neither reads what the other writes, and no slot of
   * the one shares memory with one of the other.
   */
  readonly beside?: boolean;
  readonly bias: Slot | null;
  readonly residual: Slot | null;
  /**
   * `gelu`: the value so far goes to `pre` (where there is one) and gelu of it to out.
   * `gelu-backward`: out = value ∘ gelu′(pre).
   */
  readonly activation: "none" | "gelu" | "gelu-backward";
  readonly pre: Slot | null;
  /** TN only: biasGradient[n] = Σ_k b[k, n] (added where `accumulate`). */
  readonly biasGradient: Slot | null;
  /** Add to out instead of overwriting it. */
  readonly accumulate: boolean;
}

/** out = gelu(pre), as {@link Gemm} has it: where a backward pass computes again what was not kept (recompute.ts). */
export interface Gelu {
  readonly op: "gelu";
  readonly pre: Slot;
  /** As long as pre. */
  readonly out: Slot;
}

/** `pack`: halves = values in f16. `unpack`: the way back. Of schedules for WebGPU alone (halves.ts). */
export interface Convert {
  readonly op: "pack" | "unpack";
  readonly values: Slot;
  readonly halves: Slot;
}

/**
 * Causal self-attention. qkv is [rows, 3·heads·size]: queries, keys, values side by side, heads within each.
 * For each sequence and head: P = softmax over j ≤ i of q_i·k_j/√size, out_i = Σ_j P_ij·v_j.
 * `saved` is what the device keeps for its backward (DeviceNeeds.attention), null in forward-only schedules.
 */
export interface Attention {
  readonly op: "attention";
  readonly qkv: Slot;
  readonly out: Slot;
  readonly saved: Slot | null;
  readonly batch: number;
  readonly context: number;
  readonly heads: number;
  readonly size: number;
}

/**
 * dV_j = Σ_i P_ij·dO_i; dP_ij = dO_i·v_j; dS = P∘(dP − D), D_i = Σ_j P_ij·dP_ij = dO_i·out_i;
 * dQ_i = Σ_j dS_ij·k_j/√size; dK_j = Σ_i dS_ij·q_i/√size. dQkv is laid out as qkv and wholly overwritten.
 */
export interface AttentionBackward {
  readonly op: "attention-backward";
  readonly qkv: Slot;
  readonly out: Slot;
  readonly saved: Slot;
  readonly dOut: Slot;
  readonly dQkv: Slot;
  readonly batch: number;
  readonly context: number;
  readonly heads: number;
  readonly size: number;
}

/**
 * losses[r] = log Σ_v exp(logits[r, v]) − logits[r, targets[r]], in nats.
 * Where `gradient`, in place: logits = (softmax(logits) − onehot(target)) · Dynamics.lossScale, and padding = 0.
 */
export interface CrossEntropy {
  readonly op: "cross-entropy";
  readonly logits: Slot;
  /** u32 [rows] */
  readonly targets: Slot;
  /** [rows] */
  readonly losses: Slot;
  readonly rows: number;
  /** The micro-batch's rows before these. */
  readonly before: number;
  readonly vocabulary: number;
  /** Values from one row of logits to the next; beyond the vocabulary they are padding. */
  readonly stride: number;
  readonly gradient: boolean;
}

/** partials: any number (DeviceNeeds.partials) of sums of squares that together cover the gradients. */
export interface Norm {
  readonly op: "norm";
  readonly gradients: Slot;
  readonly partials: Slot;
}

/**
 * With norm = √Σ partials and s = min(1, clip/norm): g = s·gradient;
 * m = β₁m + (1−β₁)g; v = β₂v + (1−β₂)g²;
 * x −= rate·(m/c₁ / (√(v/c₂) + ε) + decay·x), decay being 0 outside the decaying segments.
 * rate, c₁ = 1−β₁ᵗ and c₂ = 1−β₂ᵗ come from {@link Dynamics}. A norm that is not finite makes s NaN: the
 * loss shows it, nothing is hidden.
 */
export interface AdamWStep extends AdamW {
  readonly op: "adamw";
  readonly parameters: Slot;
  readonly gradients: Slot;
  readonly m: Slot;
  readonly v: Slot;
  readonly partials: Slot;
  /** In order. Together every parameter except the matrices of a {@link MuonStep}; v holds theirs one after another. */
  readonly segments: readonly Segment[];
}

/**
 * Muon (contract/muon.ts) on each of the matrices, of g = s·gradient as {@link AdamWStep} has it. Of m only the matrices
 * are its own, and of Dynamics it reads the rate.
 */
export interface MuonStep {
  readonly op: "muon";
  readonly parameters: Slot;
  readonly gradients: Slot;
  readonly m: Slot;
  readonly partials: Slot;
  /** The iteration's workspace (DeviceNeeds.muon). */
  readonly workspace: Slot;
  readonly matrices: readonly MuonMatrix[];
  readonly weightDecay: number;
  readonly clip: number;
}

export interface Segment {
  readonly offset: number;
  readonly length: number;
  readonly decays: boolean;
}

/** out = loaded − parameters: the pseudo-gradient. The gradients' arena holds it, free between steps. */
export interface Delta {
  readonly op: "delta";
  readonly loaded: Slot;
  readonly parameters: Slot;
  readonly out: Slot;
}

/** The only numbers that change from step to step; everything else is fixed when the schedule is made. */
export interface Dynamics {
  /** 1 / (all rows of the step, over its micro-batches). */
  readonly lossScale: number;
  readonly rate: number;
  /** 1 − β₁ᵗ, t counting from 1. */
  readonly correction1: number;
  /** 1 − β₂ᵗ */
  readonly correction2: number;
}
