import type { EmbedPositions, EmbedPositionsBackward, EmbedRows, EmbedRowsBackward } from "./device-op.ts";
import { index, type Kernel, line, main } from "./kernel.ts";
import { passOverAll } from "./work.ts";

/** The embedding of a token table that lies in several buffers, one invocation a value. */

const SIZE = 64;

const groupsOf = (values: number) => line(Math.ceil(values / SIZE));

export function embedRows(op: EmbedRows): Kernel {
  const { rows, width } = op;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${rows * width}u) { return; }
  let row = tokens[at.tokens + i / ${width}u] - at.begin; // of one before it, more than there are
  if (row >= at.count) { return; }
  activations[at.out + i] = parameters[at.table + row * ${width}u + i % ${width}u];`,
  );
  const { begin, count } = op;
  const at = { tokens: op.tokens.offset, table: op.table.offset, out: op.out.offset, begin, count };
  return { name: "embed-rows", code, unit: 1, at, groups: groupsOf(rows * width), work: passOverAll(op) };
}

export function embedPositions(op: EmbedPositions): Kernel {
  const { rows, width, context } = op;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${rows * width}u) { return; }
  activations[at.out + i] += parameters[at.positions + i % ${context * width}u];`,
  );
  const at = { positions: op.positions.offset, out: op.out.offset };
  return {
    name: "embed-positions",
    code,
    unit: 1,
    at,
    groups: groupsOf(rows * width),
    work: passOverAll(op),
  };
}

export function embedRowsBackward(op: EmbedRowsBackward): Kernel {
  const { width, dTable } = op;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= at.values) { return; }
  let token = i / ${width}u;
  var sum = 0f;
  let end = tokens[at.starts + token + 1u];
  for (var k = tokens[at.starts + token]; k < end; k++) {
    sum += activations[at.dOut + tokens[at.order + k] * ${width}u + i % ${width}u];
  }
  gradients[at.dTable + i] += sum;`,
  );
  const values = dTable.length;
  const places = {
    dOut: op.dOut.offset,
    starts: op.starts.offset,
    order: op.order.offset,
    dTable: dTable.offset,
  };
  const work = passOverAll(op);
  return {
    name: "embed-rows-backward",
    code,
    unit: 1,
    at: { ...places, values },
    groups: groupsOf(values),
    work,
  };
}

export function embedPositionsBackward(op: EmbedPositionsBackward): Kernel {
  const { rows, width, context, accumulate } = op;
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${context * width}u) { return; }
  var sum = 0f;
  for (var row = i / ${width}u; row < ${rows}u; row += ${context}u) {
    sum += activations[at.dOut + row * ${width}u + i % ${width}u];
  }
  gradients[at.dPositions + i] ${accumulate ? "+=" : "="} sum;`,
  );
  const at = { dOut: op.dOut.offset, dPositions: op.dPositions.offset };
  const groups = groupsOf(context * width);
  return { name: "embed-positions-backward", code, unit: 1, at, groups, work: passOverAll(op) };
}
