/**
 * Row-wise kernels give each row `lanes` invocations of a workgroup. One lane suits a processor posing as a
 * GPU, where a barrier costs more than the row; real GPUs want a row's loads side by side and its sum shared.
 */
export interface Rows {
  readonly lanes: 1 | 64;
}

/** Invocations of a row-wise workgroup. A processor has few threads, and none of them should go without a share. */
export const sizeOf = ({ lanes }: Rows): number => (lanes === 1 ? 16 : 256);

/** WGSL: `reduce_NAME(value, lane)` combines a row's lanes in a fixed order; all of them get the result. */
export function reducer(name: string, rows: Rows, combine: (a: string, b: string) => string): string {
  const { lanes } = rows;
  if (lanes === 1) return `fn reduce_${name}(value: f32, lane: u32) -> f32 { return value; }`;
  return tree(`reduce_${name}`, sizeOf(rows), lanes, combine);
}

/**
 * WGSL: a function that combines neighbouring `lanes` of a workgroup of `size` as a binary tree. To be called
 * in uniform control flow.
 */
export function tree(
  name: string,
  size: number,
  lanes: number,
  combine: (a: string, b: string) => string,
): string {
  return `
var<workgroup> ${name}_slots: array<f32, ${size}>;
fn ${name}(value: f32, lane: u32) -> f32 {
  ${name}_slots[lane] = value;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    if (lane % ${lanes}u < half) {
      ${name}_slots[lane] = ${combine(`${name}_slots[lane]`, `${name}_slots[lane + half]`)};
    }
    workgroupBarrier();
  }
  let result = ${name}_slots[lane - lane % ${lanes}u];
  workgroupBarrier();
  return result;
}`;
}

export const plus = (a: string, b: string): string => `${a} + ${b}`;

/**
 * WGSL: which row, and which of its lanes, this invocation is. Rows past the end are computed as the last row
 * (a barrier must be reached by all) and must not be stored: `live` is false.
 */
export const locate = ({ lanes }: Rows, count: number, size: number): string => `
  let place = group * ${size / lanes}u + lane / ${lanes}u;
  let live = place < ${count}u;
  let row = min(place, ${count - 1}u);
  let part = lane % ${lanes}u;`;

/** Workgroups for `count` rows. */
export const groupsOf = (rows: Rows, count: number): number => Math.ceil((count * rows.lanes) / sizeOf(rows));
