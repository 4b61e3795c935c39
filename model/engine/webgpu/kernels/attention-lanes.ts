import type { Attention, AttentionBackward } from "../../ops.ts";
import { attentionPlaces, attentionUnit, type Exchange } from "./attention.ts";
import { gradientPlaces, probability } from "./attention-backward.ts";
import { each, f32, type Kernel, line, main } from "./kernel.ts";
import { attentionWork } from "./work.ts";

/**
 * Attention with each position shared by four invocations, for GPUs: one that holds a head of 64 by itself needs more
 * registers than any has, and keeps the rest in memory. Of a head's rows of four values, lane l of a position has rows
 * l, l + 4, l + 8 …, so that the four read side by side; where they do not come out even, the last ones are zeros.
 *
 * Intel's compiler makes subgroups of 16 lanes by itself, and then spills registers; in subgroups of 8 a lane has twice as
 * many, and so they are asked for where that is possible.
 */

const LANES = 4;
const SIZE = 64;
const POSITIONS = SIZE / LANES;

/**
 * Keys, or queries, that are looked at in one turn of the loop. More of them share an exchange or a barrier, and more
 * registers are taken: of a head of 56, on Iris Xe with 16 lanes, four a turn spilled 249 and one spills 64.
 */
const TURNS: Readonly<Record<"forward" | "backward", Readonly<Record<Exchange, number>>>> = {
  forward: { quad: 2, workgroup: 4 },
  backward: { quad: 1, workgroup: 1 },
};

/** Heads that are worth sharing, read four values at a time. */
export const isShared = (op: Pick<Attention, "qkv" | "out" | "saved" | "size">): boolean =>
  attentionUnit(op) === 4 && op.size >= 4 * LANES;

type Sides = Pick<Attention, "batch" | "heads" | "context" | "size">;

/** Whether every block is full of positions: then what tells apart those behind the context's end takes no registers. */
const isFull = ({ context }: Sides): boolean => context % POSITIONS === 0;

const blocksOf = ({ context }: Sides): number => Math.ceil(context / POSITIONS);

/** Rows of four values that a lane has, the last of which may lie behind the head's end. */
const rowsOf = ({ size }: Sides): number => Math.ceil(size / 4 / LANES);

/** WGSL: row `d` of a lane's, of the rows of four values that begin at `from`; zeros behind the head's end. */
function load(op: Sides, from: string, d: number): string {
  const value = loadAny(op, from, d);
  return isWhole(op, d) ? value : `select(vec4f(), ${value}, ${inside(op, d)})`;
}

/** The same where what is behind the head's end is multiplied by zeros: there, another of the head's rows. */
function loadAny(op: Sides, from: string, d: number): string {
  const row = isWhole(op, d) ? "part" : `part % ${op.size / 4 - d * LANES}u`;
  return `activations[${from} + ${d * LANES}u + ${row}]`;
}

const isWhole = ({ size }: Sides, d: number): boolean => (d + 1) * LANES <= size / 4;
const inside = ({ size }: Sides, d: number): string => `part < ${size / 4 - d * LANES}u`;

/** WGSL that stores a lane's values into the row that begins at `into`. */
const store = (op: Sides, into: string, value: (d: number) => string): string =>
  each(rowsOf(op), (d) => {
    const code = `activations[${into} + ${d * LANES}u + part] = ${value(d)};`;
    return isWhole(op, d) ? `    ${code}` : `    if (${inside(op, d)}) { ${code} }`;
  });

/** WGSL: a lane's part of the product of two rows, by their names. */
const dots = (op: Sides, a: string, b: string): string =>
  Array.from({ length: rowsOf(op) }, (_, d) => `dot(${a}_${d}, ${b}_${d})`).join(" + ");

/** WGSL: declares each of `names`, which is what the four lanes have in `own_NAME` together. In uniform control flow. */
function together(exchange: Exchange, names: readonly string[], turn: string): string {
  if (exchange === "quad")
    return each(names.length, (i) => `    let ${names[i]} = quad_sum(own_${names[i]});`);
  const half = `half_${names[0]}`;
  const slot = (i: number) => `${half} + ${i * SIZE}u`;
  return `    let ${half} = (${turn} & 1u) * ${names.length * SIZE}u;
${each(names.length, (i) => `    slots[${slot(i)} + lane] = own_${names[i]};`)}
    workgroupBarrier(); // one a turn: the next writes the other half
${each(names.length, (i) => {
  const of = (l: number) => `slots[${slot(i)} + lane - part + ${l}u]`;
  return `    let ${names[i]} = (${of(0)} + ${of(1)}) + (${of(2)} + ${of(3)});`;
})}`;
}

/** WGSL of what {@link together} needs for at most `most` names a turn. */
const helpers = (exchange: Exchange, most: number): string =>
  exchange === "quad"
    ? `fn quad_sum(own: f32) -> f32 {
  let pair = own + quadSwapX(own);
  return pair + quadSwapY(pair);
}`
    : `var<workgroup> slots: array<f32, ${2 * most * SIZE}>;`;

/**
 * WGSL: which position and which part of it an invocation has. Blocks of positions never straddle a head, so that a loop's
 * bounds are the whole workgroup's; what lies behind the context's end is computed as the last position, and dropped.
 */
const locate = (op: Sides): string => `  if (group >= ${op.batch * op.heads * blocksOf(op)}u) { return; }
  let part = lane % ${LANES}u;
  let first = (group % ${blocksOf(op)}u) * ${POSITIONS}u;
  let place = first + lane / ${LANES}u;
  let live = ${isFull(op) ? "true" : `place < ${op.context}u`};
  let position = ${isFull(op) ? "place" : `min(place, ${op.context - 1}u)`};
  let pair = group / ${blocksOf(op)}u;
  let head = (pair % ${op.heads}u) * ${op.size / 4}u;
  let sequence = (pair / ${op.heads}u) * ${op.context}u;
  let row = sequence + position;`;

function kernel(
  op: Attention | AttentionBackward,
  name: string,
  exchange: Exchange,
  names: number,
  body: string,
  at: Kernel["at"],
  products: number,
): Kernel {
  return {
    name: `${name}-${exchange}-lanes`,
    code: `${helpers(exchange, names)}\n${main(SIZE, `${locate(op)}\n${body}`)}`,
    unit: 4,
    at,
    groups: line(op.batch * op.heads * blocksOf(op)),
    work: attentionWork(op, products),
    subgroups: exchange === "quad",
  };
}

/** As attention.ts, this many keys a turn of the online softmax. */
export function sharedAttention(op: Attention, exchange: Exchange): Kernel {
  const width = (op.heads * op.size) / 4;
  const rows = rowsOf(op);
  const turn = TURNS.forward[exchange];
  const keys = Array.from({ length: turn }, (_, b) => b);
  const body = `${each(
    rows,
    (d) => `  let q_${d} = ${load(op, `at.qkv + row * ${3 * width}u + head`, d)} * ${f32(op.size ** -0.5)};
  var o_${d} = vec4f();`,
  )}
  var top = -1e30f;
  var sum = 0f;
  for (var j = 0u; j <= min(first + ${POSITIONS - 1}u, ${op.context - 1}u); j += ${turn}u) {
${each(
  turn,
  (
    b,
  ) => `    let key_${b} = at.qkv + (sequence + min(j + ${b}u, ${op.context - 1}u)) * ${3 * width}u + ${width}u + head;
${each(rows, (d) => `    let k_${b}_${d} = ${loadAny(op, `key_${b}`, d)};`)}
    let own_product_${b} = ${dots(op, "q", `k_${b}`)};`,
)}
${together(
  exchange,
  keys.map((b) => `product_${b}`),
  `(j / ${turn}u)`,
)}
${each(turn, (b) => `    let score_${b} = select(-1e30f, product_${b}, j + ${b}u <= position);`)}
    let high = max(top, ${keys.reduce((rest, b) => (b === 0 ? "score_0" : `max(${rest}, score_${b})`), "")});
    let shrink = exp(max(top - high, -80f));
${each(turn, (b) => `    let p_${b} = ${probability(`score_${b}`, "high")};`)}
    top = high;
    sum = sum * shrink + ${keys.map((b) => `p_${b}`).join(" + ")};
${each(rows, (d) => `    o_${d} = o_${d} * shrink + ${keys.map((b) => `p_${b} * ${loadAny(op, `key_${b} + ${width}u`, d)}`).join(" + ")};`)}
  }
  if (live) {
${store(op, `at.out + row * ${width}u + head`, (d) => `o_${d} / sum`)}
${op.saved ? `    if (part == 0u) { activations[at.saved + pair * ${op.context}u + position] = vec4f(top + log(sum), 0f, 0f, 0f); }` : ""}
  }`;
  return kernel(op, "attention", exchange, turn, body, attentionPlaces(op, 4), 2);
}

/** As attention-backward.ts: queries' dispatch, then keys'. */
export function sharedAttentionBackward(op: AttentionBackward, exchange: Exchange): Kernel[] {
  return [queryGradients(op, exchange), keyGradients(op, exchange)];
}

const bothOf = (count: number): string[] =>
  Array.from({ length: count }, (_, b) => [`score_${b}`, `slope_${b}`]).flat();

function queryGradients(op: AttentionBackward, exchange: Exchange): Kernel {
  const width = (op.heads * op.size) / 4;
  const rows = rowsOf(op);
  const turn = TURNS.backward[exchange];
  const scale = f32(op.size ** -0.5);
  const last = op.context - 1;
  const own = `at.saved + pair * ${op.context}u + position`;
  const body = `  let log_sum = activations[${own}].x;
${each(
  rows,
  (d) => `  let q_${d} = ${load(op, `at.qkv + row * ${3 * width}u + head`, d)} * ${scale};
  let g_${d} = ${load(op, `at.dOut + row * ${width}u + head`, d)};
  let out_${d} = ${load(op, `at.out + row * ${width}u + head`, d)};
  var dq_${d} = vec4f();`,
)}
  var d = 0f;
  {
    let own_d_sum = ${dots(op, "g", "out")};
${together(exchange, ["d_sum"], "1u")}
    d = d_sum;
  }
${exchange === "workgroup" ? "  workgroupBarrier();" : ""}
  for (var j = 0u; j <= min(first + ${POSITIONS - 1}u, ${last}u); j += ${turn}u) {
${each(
  turn,
  (
    b,
  ) => `    let key_${b} = at.qkv + (sequence + min(j + ${b}u, ${last}u)) * ${3 * width}u + ${width}u + head;
${each(rows, (d) => `    let k_${b}_${d} = ${loadAny(op, `key_${b}`, d)};\n    let v_${b}_${d} = ${loadAny(op, `key_${b} + ${width}u`, d)};`)}
    let own_score_${b} = ${dots(op, "q", `k_${b}`)};
    let own_slope_${b} = ${dots(op, "g", `v_${b}`)};`,
)}
${together(exchange, bothOf(turn), `(j / ${turn}u)`)}
${each(
  turn,
  (b) => `    let p_${b} = select(0f, ${probability(`score_${b}`, "log_sum")}, j + ${b}u <= position);
    let ds_${b} = p_${b} * (slope_${b} - d);
${each(rows, (d) => `    dq_${d} += ds_${b} * ${loadAny(op, `key_${b}`, d)};`)}`,
)}
  }
  if (live) {
${store(op, `at.dQkv + row * ${3 * width}u + head`, (d) => `dq_${d} * ${scale}`)}
    if (part == 0u) { activations[${own}].y = d; } // the others may not have read x yet
  }`;
  return kernel(op, "attention-backward-queries", exchange, 2 * turn, body, gradientPlaces(op, 4), 3);
}

/**
 * One query a turn. The slope is exchanged after the score, since a query's row and its gradient's are then not both in
 * registers: through workgroup memory, a head of 56 spilled 70 on Iris Xe with 16 lanes, and spills 49.
 */
function keyGradients(op: AttentionBackward, exchange: Exchange): Kernel {
  const width = (op.heads * op.size) / 4;
  const rows = rowsOf(op);
  const scale = f32(op.size ** -0.5);
  const key = `row * ${3 * width}u + ${width}u + head`;
  const body = `${each(
    rows,
    (d) => `  let k_${d} = ${load(op, `at.qkv + ${key}`, d)} * ${scale};
  let v_${d} = ${load(op, `at.qkv + ${key} + ${width}u`, d)};
  var dk_${d} = vec4f();
  var dv_${d} = vec4f();`,
  )}
  for (var i = first; i < ${op.context}u; i++) {
    let query = at.qkv + (sequence + i) * ${3 * width}u + head;
    let out = at.dOut + (sequence + i) * ${width}u + head;
    let saved = activations[at.saved + pair * ${op.context}u + i].xy;
${each(rows, (d) => `    let q_${d} = ${loadAny(op, "query", d)};`)}
    let own_score = ${dots(op, "q", "k")};
${together(exchange, ["score"], "0u")}
    let p = select(0f, ${probability("score", "saved.x")}, position <= i);
${each(rows, (d) => `    let g_${d} = ${loadAny(op, "out", d)};\n    dv_${d} += p * g_${d};`)}
    let own_slope = ${dots(op, "g", "v")};
${together(exchange, ["slope"], "1u")}
    let ds = p * (slope - saved.y);
${each(rows, (d) => `    dk_${d} += ds * ${loadAny(op, "query", d)};`)}
  }
  if (live) {
${store(op, `at.dQkv + ${key}`, (d) => `dk_${d} * ${scale}`)}
${store(op, `at.dQkv + ${key} + ${width}u`, (d) => `dv_${d}`)}
  }`;
  return kernel(op, "attention-backward-keys", exchange, 1, body, gradientPlaces(op, 4), 4);
}
