import { ModelError } from "../config.ts";
import type { TokenSlots } from "./network.ts";

/**
 * Writes a micro-batch's integers into the tokens' arena, allocating nothing. `batch` is [sequences,
 * context + 1] u16, row-major: the first `context` of a row are the input, the last `context` the targets.
 *
 * For the embedding's backward the rows are sorted by their input token (a counting sort, so rows of one token
 * stay in ascending order): the device then sums each token's rows without atomics. Skipped when not `training`.
 *
 * Throws `bad-token` before anything is written when an id is not below the vocabulary.
 */
export function writeBatch(
  arena: Uint32Array,
  slots: TokenSlots,
  batch: Uint16Array,
  context: number,
  vocabulary: number,
  training: boolean,
): void {
  checkTokens(batch, vocabulary);
  const { inputs, targets } = slots;
  const rows = inputs.length;
  for (let row = 0; row < rows; row++) {
    const from = row + Math.floor(row / context); // each sequence has one token more than rows
    arena[inputs.offset + row] = batch[from]!;
    arena[targets.offset + row] = batch[from + 1]!;
  }
  if (training) sortByToken(arena, slots, vocabulary);
}

/** Throws `bad-token` when an id is not below the vocabulary. */
export function checkTokens(tokens: Uint16Array, vocabulary: number): void {
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]! >= vocabulary)
      throw new ModelError(
        "bad-token",
        `token ${tokens[i]} at ${i} is not below the vocabulary ${vocabulary}`,
      );
  }
}

function sortByToken(arena: Uint32Array, { inputs, starts, order }: TokenSlots, vocabulary: number): void {
  const rows = inputs.length;
  arena.fill(0, starts.offset, starts.offset + vocabulary + 1);
  for (let row = 0; row < rows; row++) arena[starts.offset + arena[inputs.offset + row]!]! += 1;
  // counts become ends; walking the rows backwards then turns each end into its start
  for (let token = 1; token <= vocabulary; token++)
    arena[starts.offset + token]! += arena[starts.offset + token - 1]!;
  for (let row = rows - 1; row >= 0; row--) {
    const at = starts.offset + arena[inputs.offset + row]!;
    arena[at]! -= 1;
    arena[order.offset + arena[at]!] = row;
  }
}
