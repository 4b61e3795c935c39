import { formatLarge } from "../ui/format.ts";
import type { Results } from "./bench.ts";
import type { Row } from "./messages.ts";
import { CONTENDER, DEVICE, verdictText } from "./strings.ts";

/** Nats that two trainers' first losses may differ by, before anything is learnt. */
const SAME = 1e-4;

/** The results in a few sentences, the most useful first. */
export function verdict({ rows, refused, gemm }: Results): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const wrong = rows.filter((row) => !(Math.abs(row.firstLoss - medianLoss(rows)) <= SAME));
  const right = rows.filter((row) => !wrong.includes(row));
  const fastest = right.reduce<Row | undefined>(
    (best, row) => (best !== undefined && best.tokensPerSecond >= row.tokensPerSecond ? best : row),
    undefined,
  );
  const lines: string[] = [];
  if (fastest !== undefined)
    lines.push(verdictText.fastest(CONTENDER[fastest.contender], formatLarge(fastest.tokensPerSecond)));
  for (const device of ["webgpu", "wasm"] as const) {
    const of = (engine: Row["engine"]) => right.find((row) => row.device === device && row.engine === engine);
    const [ours, stock] = [of("fast"), of("tfjs")];
    if (ours && stock)
      lines.push(verdictText.ratio(DEVICE[device], times(ours.tokensPerSecond / stock.tokensPerSecond)));
  }
  const gpu = right.find(({ contender }) => contender === "fast-webgpu");
  if (gpu?.peak) lines.push(verdictText.peak(share(gpu.flops / gpu.peak)));
  if (gemm?.software) lines.push(verdictText.software);
  const noGpu = refused.find(({ contender }) => contender === "gemm");
  if (noGpu) lines.push(verdictText.noGpu(noGpu.why));
  for (const row of wrong) lines.push(verdictText.differ(CONTENDER[row.contender]));
  return lines;
}

/** Two figures are all that a measurement of seconds is good for. */
const times = (ratio: number): string => formatLarge(Number(ratio.toPrecision(2))).trim();

export const share = (part: number): string =>
  part < 0.005 ? "less than 1%" : `${(100 * part).toFixed(0)}%`;

/** The loss that most agree on: the lower median, which one outlier does not move. */
function medianLoss(rows: readonly Row[]): number {
  const losses = rows.map(({ firstLoss }) => firstLoss).filter(Number.isFinite);
  return losses.toSorted((a, b) => a - b)[(losses.length - 1) >> 1] ?? Number.NaN;
}
