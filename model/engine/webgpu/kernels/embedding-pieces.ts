import type {
  EmbeddingPiece,
  EmbedPositions,
  EmbedPositionsBackward,
  EmbedRows,
  EmbedRowsBackward,
  WithKernel,
} from "./device-op.ts";
import type { Kernel } from "./kernel.ts";

/** The embedding of a token table that lies in several buffers, one invocation a value. */

const SIZE = 64;

/** A kernel's name and code, what differs between two of its dispatches, and for how many values it is. */
interface Piece extends Pick<Kernel, "name" | "at"> {
  readonly body: string;
  readonly values: number;
}

/** The piece with its kernel. */
export const withKernel = <Op extends EmbeddingPiece>(op: Op): WithKernel<Op> => ({
  ...op,
  kernel(main, line, index, work) {
    const { body, values, name, at } = pieceOf(op);
    const code = main(SIZE, `  let i = ${index(SIZE)};\n${body}`);
    return { name, code, unit: 1, at, groups: line(Math.ceil(values / SIZE)), work };
  },
});

function pieceOf(op: EmbeddingPiece): Piece {
  switch (op.op) {
    case "embed-rows":
      return embedRows(op);
    case "embed-positions":
      return embedPositions(op);
    case "embed-rows-backward":
      return embedRowsBackward(op);
    case "embed-positions-backward":
      return embedPositionsBackward(op);
  }
}

function embedRows(op: EmbedRows): Piece {
  const { rows, width, begin, count } = op;
  const body = `  if (i >= ${rows * width}u) { return; }
  let row = tokens[at.tokens + i / ${width}u] - at.begin; // of one before it, more than there are
  if (row >= at.count) { return; }
  activations[at.out + i] = parameters[at.table + row * ${width}u + i % ${width}u];`;
  const at = { tokens: op.tokens.offset, table: op.table.offset, out: op.out.offset, begin, count };
  return { name: op.op, body, at, values: rows * width };
}

function embedPositions(op: EmbedPositions): Piece {
  const { rows, width, context } = op;
  const body = `  if (i >= ${rows * width}u) { return; }
  activations[at.out + i] += parameters[at.positions + i % ${context * width}u];`;
  const at = { positions: op.positions.offset, out: op.out.offset };
  return { name: op.op, body, at, values: rows * width };
}

function embedRowsBackward(op: EmbedRowsBackward): Piece {
  const { width, dTable } = op;
  const body = `  if (i >= at.values) { return; }
  let token = i / ${width}u;
  var sum = 0f;
  let end = tokens[at.starts + token + 1u];
  for (var k = tokens[at.starts + token]; k < end; k++) {
    sum += activations[at.dOut + tokens[at.order + k] * ${width}u + i % ${width}u];
  }
  gradients[at.dTable + i] += sum;`;
  const values = dTable.length;
  const places = {
    dOut: op.dOut.offset,
    starts: op.starts.offset,
    order: op.order.offset,
    dTable: dTable.offset,
  };
  return { name: op.op, body, at: { ...places, values }, values };
}

function embedPositionsBackward(op: EmbedPositionsBackward): Piece {
  const { rows, width, context, accumulate } = op;
  const body = `  if (i >= ${context * width}u) { return; }
  var sum = 0f;
  for (var row = i / ${width}u; row < ${rows}u; row += ${context}u) {
    sum += activations[at.dOut + row * ${width}u + i % ${width}u];
  }
  gradients[at.dPositions + i] ${accumulate ? "+=" : "="} sum;`;
  const at = { dOut: op.dOut.offset, dPositions: op.dPositions.offset };
  return { name: op.op, body, at, values: context * width };
}
