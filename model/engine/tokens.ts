import type { TokenSlots } from "./network.ts";

/**
 * Writes a micro-batch's integers into the tokens' arena, allocating nothing. `tokens` is [sequences,
 * context + 1], row-major, each id below the vocabulary (checks.ts); the micro-batch begins at sequence `first`.
 *
 * For the embedding's backward the rows are sorted by their input token (a counting sort, so rows of one token
 * stay in ascending order): the device then sums each token's rows without atomics. Skipped unless `training`.
 */
export function writeBatch(
  arena: Uint32Array,
  slots: TokenSlots,
  tokens: Uint16Array,
  first: number,
  context: number,
  training: boolean,
): void {
  const { inputs, targets } = slots;
  const rows = inputs.length;
  const start = first * (context + 1);
  for (let row = 0; row < rows; row++) {
    const from = start + row + Math.floor(row / context); // each sequence has one token more than rows
    arena[inputs.offset + row] = tokens[from]!;
    arena[targets.offset + row] = tokens[from + 1]!;
  }
  if (training) sortByToken(arena, slots);
}

function sortByToken(arena: Uint32Array, { inputs, starts, order }: TokenSlots): void {
  const rows = inputs.length;
  arena.fill(0, starts.offset, starts.offset + starts.length);
  for (let row = 0; row < rows; row++) arena[starts.offset + arena[inputs.offset + row]!]! += 1;
  // counts become ends; walking the rows backwards then turns each end into its start
  for (let token = 1; token < starts.length; token++)
    arena[starts.offset + token]! += arena[starts.offset + token - 1]!;
  for (let row = rows - 1; row >= 0; row--) {
    const at = starts.offset + arena[inputs.offset + row]!;
    arena[at]! -= 1;
    arena[order.offset + arena[at]!] = row;
  }
}
