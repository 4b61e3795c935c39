import type { AdamWStep } from "../../ops.ts";
import { f32, floatType, type Kernel, line, main, type Unit } from "./kernel.ts";
import { clipOf } from "./update.ts";
import { passOverAll } from "./work.ts";

const SIZE = 64;
/** Units an invocation takes. */
const EACH = 4;

/**
 * `table` is where the tokens' arena holds {@link adamWTable}. Where v leaves values out (second-moments.ts), an invocation
 * finds in the table whose unit of v it has; else it needs no more than a bit of it.
 */
export function adamW(op: AdamWStep, table: number): Kernel {
  const { beta1, beta2 } = op;
  const unit = adamWUnit(op);
  const type = floatType(unit);
  const count = op.v.length / unit;
  const decay = f32(op.weightDecay);
  const place = isPacked(op)
    ? `    let entry = tokens[at.table + i];
    let place = entry >> 1u;
    let decay = ${decay} * f32(entry & 1u);`
    : `    let place = i;
    let bits = tokens[at.table + i / ${32 / unit}u] >> ((i * ${unit}u) % 32u);
    let decay = ${decay} * ${unit === 4 ? "vec4f((vec4u(bits) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u))" : "f32(bits & 1u)"};`;
  const code = main(
    SIZE,
    `${clipOf(op.clip, `activations[at.norm]${unit === 4 ? "[0]" : ""}`)}
  for (var k = 0u; k < ${EACH}u; k++) {
    let i = (group * ${EACH}u + k) * ${SIZE}u + lane;
    if (i >= ${count}u) { return; }
${place}
    let g = gradients[place] * clip;
    let mean = ${f32(beta1)} * m[place] + ${f32(1 - beta1)} * g;
    let square = ${f32(beta2)} * v[i] + ${f32(1 - beta2)} * g * g;
    let x = parameters[place];
    let update = mean / dynamics.correction1 / (sqrt(square / dynamics.correction2) + ${type}(${f32(op.epsilon)}));
    m[place] = mean;
    v[i] = square;
    parameters[place] = x - dynamics.rate * (update + decay * x);
  }`,
  );
  const at = { norm: op.partials.offset / unit, table };
  const groups = line(Math.ceil(count / (SIZE * EACH)));
  return { name: "adamw", code, unit, at, groups, work: passOverAll(op) };
}

/** One bit a parameter, set where weight decay pulls; where v is packed, a word a unit of it: its place × 2, and the bit. */
export function adamWTable(op: AdamWStep): Uint32Array<ArrayBuffer> {
  const { segments, parameters, v } = op;
  if (isPacked(op)) {
    const unit = adamWUnit(op);
    const words = new Uint32Array(v.length / unit);
    let at = 0;
    for (const { offset, length, decays } of segments)
      for (let i = 0; i < length; i += unit) words[at++] = ((offset + i) / unit) * 2 + (decays ? 1 : 0);
    return words;
  }
  const bits = new Uint32Array(Math.ceil(parameters.length / 32));
  for (const { offset, length, decays } of segments) {
    const end = decays ? offset + length : 0;
    for (let i = offset; i < end; ) {
      const whole = i % 32 === 0 && i + 32 <= end; // as nearly all are: bit by bit a large model's take a second
      bits[i >>> 5]! |= whole ? -1 : 1 << i;
      i += whole ? 32 : 1;
    }
  }
  return bits;
}

const isPacked = ({ v, parameters }: AdamWStep): boolean => v.length < parameters.length;

/** Four where no unit crosses a segment's edge, or where it makes no difference that it does. */
function adamWUnit(op: AdamWStep): Unit {
  const edges = isPacked(op)
    ? op.segments.flatMap(({ offset, length }) => [offset, length])
    : [op.parameters.length];
  return [op.partials.offset, ...edges].every((value) => value % 4 === 0) ? 4 : 1;
}
