import type { CrossEntropy, Slot } from "../../ops.ts";
import { type Kernel, line, main } from "./kernel.ts";
import { groupsOf, locate, plus, type Rows, reducer, sizeOf, tree } from "./rows.ts";
import { passOver, passOverAll } from "./work.ts";

/**
 * Rows from dynamics.rows on are padding of a short batch: their loss and gradient are zero, so they reach
 * nothing else. Exponents below −80 flush to zero: a denormal is slow, and nothing beside the others.
 */
export function crossEntropy(op: CrossEntropy, rows: Rows): Kernel {
  const { vocabulary, stride } = op;
  const size = sizeOf(rows);
  const columns = `var c = part; c < ${vocabulary}u; c += ${rows.lanes}u`;
  const padding =
    stride === vocabulary
      ? ""
      : `
  for (var c = ${vocabulary}u + part; c < ${stride}u; c += ${rows.lanes}u) { activations[base + c] = 0f; }`;
  const gradient = `
  let factor = select(0f, dynamics.scale, at.before + row < dynamics.rows);
  for (${columns}) {
    let d = activations[base + c] - top;
    let p = select(exp(max(d, -80f)) / sum, 0f, d < -80f);
    activations[base + c] = (p - select(0f, 1f, c == label)) * factor;
  }${padding}`;
  const code = `
${reducer("max", rows, (a, b) => `max(${a}, ${b})`)}
${reducer("sum", rows, plus)}
${main(
  size,
  `${locate(rows, op.rows, size)}
  let base = at.logits + row * ${stride}u;
  let label = tokens[at.targets + row];
  var high = -3e38f;
  for (${columns}) { high = max(high, activations[base + c]); }
  let top = reduce_max(high, lane);
  var total = 0f;
  for (${columns}) {
    let d = activations[base + c] - top;
    total += select(exp(max(d, -80f)), 0f, d < -80f);
  }
  let goal = activations[base + label] - top;
  let sum = reduce_sum(total, lane);
  if (!live) { return; }
  if (part == 0u) {
    activations[at.losses + row] = select(0f, log(sum) - goal, at.before + row < dynamics.rows);
  }${op.gradient ? gradient : ""}`,
)}`;
  const at = {
    logits: op.logits.offset,
    targets: op.targets.offset,
    losses: op.losses.offset,
    before: op.before,
  };
  const groups = line(groupsOf(rows, op.rows));
  return { name: "cross-entropy", code, unit: 1, at, groups, work: passOverAll(op) };
}

const COLLECT = 64;

/** The micro-batch's share of the step's mean loss goes to ring[dynamics.ring], added where dynamics.add. */
export function collectLoss(losses: Slot): Kernel {
  const code = `
${tree("reduce_sum", COLLECT, COLLECT, plus)}
${main(
  COLLECT,
  `  var total = 0f;
  for (var row = lane; row < ${losses.length}u; row += ${COLLECT}u) { total += activations[at.losses + row]; }
  let mean = reduce_sum(total, lane) * dynamics.scale;
  if (lane == 0u) {
    let before = select(0f, ring[dynamics.ring], dynamics.add != 0u);
    ring[dynamics.ring] = before + mean;
  }`,
)}`;
  const at = { losses: losses.offset };
  return { name: "collect-loss", code, unit: 1, at, groups: [1, 1], work: passOver(losses) };
}
