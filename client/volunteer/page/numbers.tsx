import { formatCount, formatLarge, formatLoss } from "../../ui/format.ts";
import { refusalReason } from "../lines.ts";
import type { Refused } from "../session/refusals.ts";
import type { TrainerHandle } from "../session/worker-client.ts";
import { text } from "../strings.ts";

/** The visitor's own numbers: loss with its last stretch, credit, work sent, traffic. */
export function YourNumbers({
  trainer,
  refusals,
}: {
  readonly trainer: TrainerHandle;
  readonly refusals: readonly Refused[];
}) {
  const losses = trainer.losses.value;
  const credit = trainer.credit.value;
  const traffic = trainer.traffic.value;
  const last = losses[losses.length - 1];
  return (
    <dl class="numbers">
      <div>
        <dt>{text.yourLoss}</dt>
        <dd>
          {last === undefined ? "–" : formatLoss(last)}
          <Sparkline values={losses} />
          <small>{last === undefined ? text.lossHelp : text.lossInWords(last)}</small>
        </dd>
      </div>
      <div>
        <dt>{text.credit}</dt>
        <dd>
          {credit === undefined ? "–" : formatLarge(credit.tokens)}
          <small>
            {credit === undefined
              ? text.creditHelp
              : text.creditDetail(credit.merged, credit.pending, credit.refused)}
          </small>
          {credit !== undefined && <small>{text.creditRecent(credit.recent)}</small>}
        </dd>
      </div>
      <div>
        <dt>{text.sentTokens}</dt>
        <dd>
          {formatCount(trainer.sent.value?.tokens ?? 0)}
          <small>{text.sentHelp}</small>
        </dd>
      </div>
      <div>
        <dt>{text.traffic}</dt>
        <dd class="words">{text.trafficText(traffic?.down ?? 0, traffic?.up ?? 0)}</dd>
      </div>
      <Refusals list={refusals} />
    </dl>
  );
}

/** Own work that the server did not take, and why; nothing while all of it was taken. */
function Refusals({ list }: { readonly list: readonly Refused[] }) {
  if (list.length === 0) return null;
  return (
    <div class="wide">
      <dt>{text.refusals}</dt>
      <dd class="words">
        <ul>
          {list.map(({ code, times, last }) => (
            <li key={code}>
              {formatCount(times)} × {refusalReason(code)} <small>{text.lastAt(last)}</small>
            </li>
          ))}
        </ul>
      </dd>
    </div>
  );
}

const WIDTH = 120;
const HEIGHT = 28;

/** A line without axes: only its direction means something. */
function Sparkline({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2) return null;
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * WIDTH;
    const y = 2 + (1 - (value - least) / span) * (HEIGHT - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(" ")} />
    </svg>
  );
}
