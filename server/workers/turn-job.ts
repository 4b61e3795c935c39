import { utf8 } from "../../protocol/bytes.ts";
import { asInteger, asText, parseJson } from "../../protocol/guards.ts";
import { MAX_PARAMETERS } from "../../protocol/limits.ts";

/** Bytes of an answer, which says only where the matrix is. */
export const MAX_ANSWER_BYTES = 512;
const MAX_ADDRESS = 128;
/** Part by which orthogonalizing may change a matrix's norm: it rounds. */
const MAX_CHANGE = 1e-3;

/** A matrix to be made orthogonal, and the address of its values. */
export interface TurnOrder {
  readonly rows: number;
  readonly columns: number;
  readonly address: string;
}

export const encodeTurn = (order: TurnOrder): Uint8Array<ArrayBuffer> => utf8(JSON.stringify(order));

/** Throws `bad-json` or `bad-request`. */
export function decodeTurn(message: Uint8Array<ArrayBuffer>): TurnOrder {
  const { rows, columns, address } = parseJson(message);
  return {
    rows: asInteger(rows, "rows", 1, MAX_PARAMETERS),
    columns: asInteger(columns, "columns", 1, MAX_PARAMETERS),
    address: asText(address, "address", MAX_ADDRESS),
  };
}

/** Where the answer is. */
export const encodeTurned = (address: string): Uint8Array<ArrayBuffer> => utf8(JSON.stringify({ address }));

/** Throws `bad-json` or `bad-request`. */
export const decodeTurned = (message: Uint8Array<ArrayBuffer>): string =>
  asText(parseJson(message).address, "address", MAX_ADDRESS);

/** Whether these can be what a matrix of that norm became: all are numbers, and the norm is the same. */
export const isTurned = (values: Float32Array, norm: number): boolean =>
  Math.abs(normOf(values) / norm - 1) < MAX_CHANGE;

export const normOf = (values: Float32Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};
