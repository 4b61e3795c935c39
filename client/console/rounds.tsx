import type { RunStatus } from "../../protocol/status.ts";
import { formatCount, formatDuration, formatProbability } from "../ui/format.ts";
import { Card, Figure } from "./parts.tsx";
import { INNER, rounds as text } from "./strings.ts";

/** How the run's rounds go: how long they are, what is trained in them, and what of the time and the work counts. */
export function Rounds({ rounds }: Pick<RunStatus, "rounds">) {
  if (rounds === null) {
    return (
      <Card title={text.title}>
        <p>{text.turns}</p>
      </Card>
    );
  }
  const { ms, inner, batch, lately } = rounds;
  return (
    <Card title={text.title}>
      <dl class="figures">
        <Figure name={text.length} value={formatDuration(ms)} help={text.lengthHelp} />
        <Figure name={text.inner} value={INNER[inner]} help={text.innerHelp(batch)} />
        {lately !== null && (
          <>
            <Figure name={text.steps} value={formatCount(Math.round(lately.steps))} help={text.stepsHelp} />
            <Figure name={text.late} value={formatProbability(lately.late)} help={text.lateHelp} />
            <Figure
              name={text.goodput}
              value={formatProbability(lately.goodput)}
              help={text.goodputHelp(lately.versions)}
            />
            {lately.crowd !== null && (
              <Figure
                name={text.oneMore}
                value={`+${formatProbability(lately.crowd.oneMore)}`}
                help={text.oneMoreHelp(lately.crowd.useful)}
              />
            )}
          </>
        )}
      </dl>
    </Card>
  );
}
