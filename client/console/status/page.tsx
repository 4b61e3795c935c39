import type { ReadonlySignal } from "@preact/signals";
import { here } from "../../../protocol/address.ts";
import type { RunCard } from "../../../protocol/card.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { setbackOf } from "../../../protocol/setback.ts";
import type { RunStatus } from "../../../protocol/status.ts";
import { awayNotice } from "../../ui/away-notice.ts";
import { CardText, cardFacts } from "../../ui/card-facts.tsx";
import { formatCount, formatLarge, formatLoss, formatProbability } from "../../ui/format.ts";
import { LossChart } from "../../ui/loss-chart.tsx";
import type { RunWatch } from "../../ui/watch.ts";
import { type Activity, ActivityList } from "../activity-list.tsx";
import { Answers } from "../answers.tsx";
import { Card, Figure, lossHelp } from "../parts.tsx";
import { Rounds } from "../rounds.tsx";
import { Speeds } from "../speeds.tsx";
import { STATE, text } from "../strings.ts";
import { RefusedTable, VersionsTable } from "../tables.tsx";
import { Prompts } from "./prompts.tsx";

export interface DashboardProps {
  readonly watch: RunWatch;
  readonly activity: ReadonlySignal<readonly Activity[]>;
}

/** Is it learning, who is here, and what was refused and why. */
export function Dashboard({ watch, activity }: DashboardProps) {
  const status = watch.status.value;
  return (
    <main>
      <Notice watch={watch} />
      {status !== undefined && (
        <>
          <Head status={status} />
          <Worse status={status} />
          <About card={status.card} />
          <Figures status={status} />
          <div class="wide">
            <Card title={text.curve}>
              <LossChart curve={() => watch.status.value} />
            </Card>
            <Card title={text.activity}>
              <ActivityList activity={activity} label={text.activity} none={text.noActivity} />
            </Card>
          </div>
          <Answers status={status} />
          <Prompts status={status} />
          <Rounds rounds={status.rounds} />
          <Card title={text.refused}>
            <RefusedTable refused={status.deltas.refused} />
          </Card>
          <Card title={text.versions}>
            <VersionsTable versions={status.versions} />
          </Card>
          <Speeds />
          <Model status={status} />
        </>
      )}
    </main>
  );
}

function Notice({ watch }: Pick<DashboardProps, "watch">) {
  const connection = watch.connection.value;
  if (connection === "live") return null;
  const lines = {
    loading: text.loading,
    away: awayNotice(watch.why.value, text.away),
    "no-run": text.noRun,
    mismatch: text.mismatch,
  };
  return (
    <p class="notice" role="status">
      {lines[connection]}
    </p>
  );
}

function Head({ status }: { readonly status: RunStatus }) {
  return (
    <header>
      <div>
        <h1>{status.name}</h1>
        {status.operator !== "" && <p class="note">{status.operator}</p>}
      </div>
      <p class={`state ${status.state}`}>{STATE[status.state]}</p>
      <nav>
        <a href="./">{text.back}</a>
      </nav>
    </header>
  );
}

/** What its operator says of the run, if anything. */
function About({ card }: { readonly card: RunCard }) {
  const facts = cardFacts(card);
  if (facts.length === 0 && card.purpose === undefined && card.description === undefined) return null;
  return (
    <Card title={text.about}>
      <CardText card={card} />
      <dl class="about">
        {facts.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

/** Says so where the model has been getting worse for long. */
function Worse({ status: { heldOut, baselines } }: { readonly status: RunStatus }) {
  const setback = setbackOf(heldOut, baselines.uniform);
  if (setback === undefined) return null;
  const { kind, loss, best } = setback;
  const now = formatLoss(loss);
  return (
    <section class="notice" role="status">
      <p>
        {kind === "guessing"
          ? text.guessing(now, formatLoss(baselines.uniform))
          : text.worse(now, formatLoss(best.loss), formatCount(best.version))}
      </p>
      <p>{text.worseHelp}</p>
    </section>
  );
}

function Figures({ status }: { readonly status: RunStatus }) {
  const last = status.heldOut.at(-1);
  const refused = Object.values(status.deltas.refused).reduce((sum, times) => sum + times, 0);
  const share = status.tokenBudget > 0 ? status.tokensMerged / status.tokenBudget : 0;
  return (
    <dl class="figures">
      <Figure
        name={text.heldOut}
        value={last === undefined ? "–" : formatLoss(last.loss)}
        help={lossHelp(status)}
      />
      <Figure
        name={text.version}
        value={formatCount(status.version)}
        help={`${status.modelHash.slice(0, 12)}…`}
      />
      <Figure name={text.volunteers} value={formatCount(status.volunteers)} help={text.volunteersHelp} />
      <Figure name={text.speed} value={formatLarge(status.tokensPerSecond)} help={text.speedHelp} />
      <Figure
        name={text.tokens}
        value={formatLarge(status.tokensMerged)}
        help={text.budget(formatProbability(share), formatLarge(status.tokenBudget))}
      >
        <progress value={Math.min(share, 1)} aria-label={text.tokens} />
      </Figure>
      <Figure
        name={text.merged}
        value={formatCount(status.deltas.merged)}
        help={`${text.refusedCount}: ${formatCount(refused)}`}
      />
    </dl>
  );
}

function Model({ status }: { readonly status: RunStatus }) {
  const { layers, heads, width, context, vocabulary } = status.model;
  const shape = `${layers} layers, ${heads} heads, width ${width}, context ${context}, vocabulary ${vocabulary}`;
  return (
    <Card title={text.model}>
      <p>{text.modelText(formatCount(status.parameters), shape)}</p>
      <p class="note">{text.hash}:</p>
      <p class="hash">{status.modelHash}</p>
      {status.sample !== null && (
        <>
          <h3>{text.sample}</h3>
          <blockquote>{status.sample.text.trim()}</blockquote>
        </>
      )}
      <p>
        <a href={here(ROUTES.latestSnapshot)} download>
          {text.modelFile}
        </a>{" "}
        · <a href={here(ROUTES.run)}>{text.raw}</a>
      </p>
    </Card>
  );
}
