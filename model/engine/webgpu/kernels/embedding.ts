import type { Embed, EmbedBackward } from "../../ops.ts";
import { index, type Kernel, line, main } from "./kernel.ts";
import { passOverAll } from "./work.ts";

const SIZE = 64;

/** One invocation a value. */
export function embed(op: Embed): Kernel {
  const { rows, width, context } = op;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${rows * width}u) { return; }
  let row = i / ${width}u;
  let column = i % ${width}u;
  activations[at.out + i] = parameters[at.table + tokens[at.tokens + row] * ${width}u + column]
    + parameters[at.positions + (row % ${context}u) * ${width}u + column];`,
  );
  const at = {
    tokens: op.tokens.offset,
    table: op.table.offset,
    positions: op.positions.offset,
    out: op.out.offset,
  };
  const groups = line(Math.ceil((rows * width) / SIZE));
  return { name: "embed", code, unit: 1, at, groups, work: passOverAll(op) };
}

/** One invocation a gradient: first the table's, each over its token's rows, then the positions'. */
export function embedBackward(op: EmbedBackward): Kernel {
  const { rows, width, context, vocabulary, accumulate } = op;
  const table = vocabulary * width;
  const positions = context * width;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${table + positions}u) { return; }
  let column = i % ${width}u;
  var sum = 0f;
  if (i < ${table}u) {
    let token = i / ${width}u;
    let end = tokens[at.starts + token + 1u];
    for (var k = tokens[at.starts + token]; k < end; k++) {
      sum += activations[at.dOut + tokens[at.order + k] * ${width}u + column];
    }
    gradients[at.dTable + i] += sum;
  } else {
    let position = i - ${table}u;
    for (var row = position / ${width}u; row < ${rows}u; row += ${context}u) {
      sum += activations[at.dOut + row * ${width}u + column];
    }
    gradients[at.dPositions + position] ${accumulate ? "+=" : "="} sum;
  }`,
  );
  const at = {
    dOut: op.dOut.offset,
    starts: op.starts.offset,
    order: op.order.offset,
    dTable: op.dTable.offset,
    dPositions: op.dPositions.offset,
  };
  const groups = line(Math.ceil((table + positions) / SIZE));
  return { name: "embed-backward", code, unit: 1, at, groups, work: passOverAll(op) };
}
