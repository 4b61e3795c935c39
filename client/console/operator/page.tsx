import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { here, serverOf } from "../../../protocol/address.ts";
import { OPERATOR_ROUTES, type Overview } from "../../../protocol/operator.ts";
import { splitRunPath } from "../../../protocol/run-name.ts";
import type { RunStatus } from "../../../protocol/status.ts";
import { formatCount } from "../../ui/format.ts";
import type { RunWatch } from "../../ui/watch.ts";
import { type Activity, ActivityList } from "../activity-list.tsx";
import { Answers } from "../answers.tsx";
import { Embedding } from "../embedding/card.tsx";
import { Card } from "../parts.tsx";
import { Rounds } from "../rounds.tsx";
import { SetupPage } from "../setup/page.tsx";
import type { SetupClient } from "../setup/setup-client.ts";
import { STATE } from "../strings.ts";
import { RefusedTable } from "../tables.tsx";
import { Log } from "./action-log.tsx";
import { Controls, RollBack, Rulings, SettingsForm } from "./controls.tsx";
import { AxisChoice, LossCurves, PaceCurve } from "./curves.tsx";
import { DESCRIBE, Describe } from "./describe.tsx";
import { Figures, Here, Server } from "./figures.tsx";
import { MoreText } from "./more-text.tsx";
import type { OperatorClient } from "./operator-client.ts";
import { Roster } from "./roster.tsx";
import { SignIn } from "./sign-in.tsx";
import { roster, text } from "./strings.ts";
import { TakenSpeeds } from "./taken-speeds.tsx";
import { Bars } from "./tallies.tsx";
import type { TextClient } from "./text-client.ts";

export interface PageProps {
  readonly client: OperatorClient;
  readonly setup: SetupClient;
  readonly texts: TextClient;
  readonly watch: RunWatch;
  readonly activity: ReadonlySignal<readonly Activity[]>;
}

/** The operator's page: how the run is, and what can be done about it. */
export function OperatorPage(props: PageProps) {
  const access = props.client.access.value;
  const overview = props.client.overview.value;
  const status = props.watch.status.value;
  if (overview !== undefined && status !== undefined) {
    return <Dashboard {...props} overview={overview} status={status} />;
  }
  if (props.setup.state.value !== undefined && (access === "no-run" || access === "away")) {
    const signOut = () => void props.client.signOut();
    return <SetupPage setup={props.setup} away={access === "away"} signOut={signOut} />;
  }
  return (
    <main>
      {access === "signed-out" ? (
        <SignIn client={props.client} elsewhere={["./status", text.publicPage]} />
      ) : (
        <Wait {...props} />
      )}
    </main>
  );
}

const Wait = ({ client }: Pick<PageProps, "client">) => (
  <p class="wait" role="status">
    {client.access.value === "away" ? awayText(client) : text.loading}
  </p>
);

const awayText = ({ why }: OperatorClient): string =>
  why.value === "" ? text.away : text.inPlace(why.value);

interface DashboardProps extends Omit<PageProps, "setup"> {
  readonly overview: Overview;
  readonly status: RunStatus;
}

function Dashboard({ client, texts, watch, activity, overview, status }: DashboardProps) {
  const read = () => client.overview.value;
  return (
    <main>
      {client.access.value === "away" && (
        <p class="notice" role="status">
          {awayText(client)}
        </p>
      )}
      <Head client={client} overview={overview} status={status} />
      {overview.alerts.length > 0 && (
        <section class="notice alerts" aria-label={text.alerts}>
          <h2>{text.alerts}</h2>
          <ul>
            {overview.alerts.map((alert) => (
              <li key={alert}>{alert}</li>
            ))}
          </ul>
        </section>
      )}
      {status.card.purpose === undefined && (
        <p class="notice" role="status">
          {text.noPurpose} <a href={`#${DESCRIBE}`}>{text.sayPurpose}</a>
        </p>
      )}
      <Figures overview={overview} status={status} />
      <div class="wide">
        <div class="stack">
          <Card title={text.curve}>
            <AxisChoice />
            <LossCurves overview={read} />
          </Card>
          <Card title={text.pace}>
            <PaceCurve overview={read} />
          </Card>
        </div>
        <div class="stack">
          <Card title={text.controls}>
            <Controls client={client} overview={overview} />
            <RollBack client={client} overview={overview} />
            <Rulings client={client} />
            <p class="said" role="status">
              {client.said.value}
            </p>
          </Card>
          <Card title={text.model}>
            <p class="note">{text.modelHelp(formatCount(status.version))}</p>
            {overview.completions !== undefined && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={overview.completions}
                  onChange={({ currentTarget }) =>
                    void client.act({ action: "completions", on: currentTarget.checked })
                  }
                />
                <span>
                  {text.completions} <small>({text.completionsHelp})</small>
                </span>
              </label>
            )}
            <ul class="downloads">
              <Download href={here(OPERATOR_ROUTES.huggingFace)} name={text.huggingFace} />
              <Download href={here(OPERATOR_ROUTES.gguf("f32"))} name={text.ggufF32} />
              <Download href={here(OPERATOR_ROUTES.gguf("f16"))} name={text.ggufF16} />
            </ul>
          </Card>
          <Card title={text.activity}>
            <ActivityList activity={activity} label={text.activity} none={text.noActivity} />
          </Card>
        </div>
      </div>
      <Answers status={status} />
      <Rounds rounds={status.rounds} />
      <div class="wide even">
        <Card title={text.here}>
          <Here overview={overview} />
        </Card>
        <Card title={text.staleness}>
          <Bars
            title={text.stalenessHelp}
            rows={overview.staleness.map((count, late) => [text.stale(late), count])}
          />
        </Card>
      </div>
      {overview.state !== "finished" && <MoreText client={texts} />}
      <Card title={roster.title}>
        <p class="note">{roster.help}</p>
        <Roster client={client} overview={overview} />
      </Card>
      <div class="wide even">
        <Card title={text.settings}>
          <p class="note">{text.settingsHelp}</p>
          <SettingsForm client={client} overview={overview} />
        </Card>
        <Card title={text.machine}>
          <Server overview={overview} />
        </Card>
      </div>
      <Card title={text.refusedTitle}>
        <RefusedTable refused={watch.status.value?.deltas.refused ?? {}} />
      </Card>
      <TakenSpeeds client={client} />
      <Card title={text.describe}>
        <Describe client={client} card={status.card} />
      </Card>
      <Embedding sites={overview.sites} />
      <Card title={text.log}>
        <Log overview={overview} />
      </Card>
    </main>
  );
}

/** On a server of several runs each has its pages under its own path (rule S5). */
const isOneOfSeveral = splitRunPath(serverOf(location.href)).path !== "";

function Head({ client, overview, status }: Omit<DashboardProps, "texts" | "watch" | "activity">) {
  return (
    <header>
      <div>
        <h1>{status.name}</h1>
        <p class="note">{text.signedInAs(overview.operator)}</p>
      </div>
      <p class={`state ${overview.draining ? "draining" : overview.state}`}>
        {overview.draining ? text.draining : STATE[overview.state]}
      </p>
      <nav>
        {isOneOfSeveral && <a href="../../operator">{text.allRuns}</a>}
        <a href="./status">{text.publicPage}</a>
        <a href="./">{text.volunteersPage}</a>
        <button type="button" class="quiet" onClick={() => void client.signOut()}>
          {text.signOut}
        </button>
      </nav>
    </header>
  );
}

function Download({ href, name }: { readonly href: string; readonly name: ComponentChildren }) {
  return (
    <li>
      <a href={href} download>
        {name}
      </a>
    </li>
  );
}
