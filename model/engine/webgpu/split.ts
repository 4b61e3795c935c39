import { GROUPS_LIMIT, type Kernel, line } from "./kernels/kernel.ts";
import { estimate, type Rates } from "./pace.ts";

/** Estimated milliseconds of a dispatch on the slowest adapters: watchdogs end what takes a second or two. */
export const MAX_DISPATCH_MS = 200;

/**
 * The same work in dispatches of at most {@link MAX_DISPATCH_MS}, or of one workgroup where that takes
 * longer. They write what the whole does, since no workgroup reads another's results. Attention's later pieces have
 * more keys to see, up to twice the average.
 */
export function split(kernel: Kernel, rates: Rates): Kernel[] {
  const pieces = Math.ceil(estimate(kernel, rates) / MAX_DISPATCH_MS);
  if (pieces === 1) return [kernel];
  if (kernel.apart) return kernel.apart.flatMap((one) => split(one, rates));
  return kernel.grid ? blocks(kernel, pieces) : stretches(kernel, pieces);
}

/** A line of workgroups in stretches. One that is folded (kernel.ts) is cut where it folds: nothing runs twice. */
function stretches(kernel: Kernel, pieces: number): Kernel[] {
  const total = kernel.groups[0] * kernel.groups[1];
  const even = Math.max(1, Math.floor(total / pieces));
  const size = even > GROUPS_LIMIT ? Math.floor(even / GROUPS_LIMIT) * GROUPS_LIMIT : even;
  return starts(total, size).map((from) => {
    const [x, y] = line(Math.min(size, total - from));
    return piece(kernel, [from, 0], [x, y]);
  });
}

/** A grid in bands of rows, or, where one row has too much work, in blocks of one. */
function blocks(kernel: Kernel, pieces: number): Kernel[] {
  const [across, down] = kernel.groups;
  const rows = Math.max(1, Math.floor(down / pieces));
  const columns = down >= pieces ? across : Math.max(1, Math.floor((across * down) / pieces));
  return starts(down, rows).flatMap((y) =>
    starts(across, columns).map((x) =>
      piece(kernel, [x, y], [Math.min(columns, across - x), Math.min(rows, down - y)]),
    ),
  );
}

const starts = (total: number, size: number): number[] =>
  Array.from({ length: Math.ceil(total / size) }, (_, i) => i * size);

function piece(kernel: Kernel, first: readonly [number, number], [x, y]: readonly [number, number]): Kernel {
  const [across, down, deep] = kernel.groups;
  const share = (x * y) / (across * down);
  const { flops, bytes } = kernel.work;
  return {
    ...kernel,
    first,
    groups: deep === undefined ? [x, y] : [x, y, deep],
    work: { flops: flops * share, bytes: bytes * share },
  };
}
