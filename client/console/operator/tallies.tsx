import type { Tally } from "../../../protocol/operator.ts";
import { formatCount } from "../../ui/format.ts";

interface BarsProps {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, count: number])[];
}

/** Counts as bars, each beside its name and number. */
export function Bars({ title, rows }: BarsProps) {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  return (
    <div class="bars">
      <h3>{title}</h3>
      <dl>
        {rows.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(100 * count) / most} height="8" rx="1" />
              </svg>
              {formatCount(count)}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** A tally's rows, commonest first. */
export const rowsOf = (tally: Tally): [string, number][] =>
  Object.entries(tally).sort(([, a], [, b]) => b - a);
