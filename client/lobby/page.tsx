import type { RunSummary } from "../../protocol/lobby.ts";
import { formatLoss } from "../ui/format.ts";
import { LanguageSwitch } from "../ui/language-switch.tsx";
import { common } from "../ui/strings.ts";
import { Anywhere } from "./anywhere.tsx";
import type { LobbyClient } from "./lobby-client.ts";
import { inOrder } from "./order.ts";
import { text } from "./strings.ts";

/** The first page of a server of several runs: what each is for, and where one more browser helps. */
export function LobbyPage({ client }: { readonly client: LobbyClient }) {
  const lobby = client.lobby.value;
  return (
    <main>
      <div class="top">
        <p class="wordmark">Murmuration</p>
        <LanguageSwitch />
      </div>
      <h1>{text.title}</h1>
      {client.away.value && (
        <p class="notice" role="status">
          {text.away}
        </p>
      )}
      {lobby === undefined ? (
        !client.away.value && (
          <p class="wait" role="status">
            {text.loading}
          </p>
        )
      ) : (
        <Runs runs={lobby.runs} />
      )}
    </main>
  );
}

function Runs({ runs }: { readonly runs: readonly RunSummary[] }) {
  const { open, finished } = inOrder(runs);
  if (runs.length === 0) {
    return (
      <section class="card">
        <p>{text.none}</p>
        <p>
          {text.noneHelp} <a href="./operator">{text.operator}</a>
        </p>
      </section>
    );
  }
  const mostHelp = open.length > 1 && open[0]?.state === "running" ? open[0] : undefined;
  return (
    <>
      {open.length > 0 && <p class="lead">{text.lead}</p>}
      {mostHelp !== undefined && <Anywhere open={open} most={mostHelp} />}
      <div class="runs">
        {open.map((run) => (
          <Open key={run.id} run={run} helpsMost={run === mostHelp} />
        ))}
      </div>
      {finished.length > 0 && (
        <section class="archive" aria-label={text.archive}>
          <h2>{text.archive}</h2>
          <p class="note">{text.archiveLead}</p>
          <div class="runs">
            {finished.map((run) => (
              <Finished key={run.id} run={run} />
            ))}
          </div>
        </section>
      )}
    </>
  );
}

const addressOf = ({ path }: RunSummary, page = ""): string => `.${path}/${page}`;

function Open({ run, helpsMost }: { readonly run: RunSummary; readonly helpsMost: boolean }) {
  const { name, operator, card, state, volunteers, oneMore, bytes, parameters } = run;
  return (
    <article class={helpsMost ? "card most" : "card"}>
      <header>
        <h2>{name}</h2>
        <p class={`state ${state}`}>{text.state[state]}</p>
      </header>
      {helpsMost && <p class="flag">{text.mostHelp}</p>}
      <p class={card.purpose === undefined ? "wait" : ""}>{card.purpose ?? text.noPurpose}</p>
      {operator !== "" && <p class="note">{text.by(operator)}</p>}
      <Progress run={run} />
      <dl>
        <Fact term={text.here}>{text.hereCount(volunteers)}</Fact>
        <Fact term={text.oneMore}>{text.oneMoreOf(oneMore, volunteers, state === "running")}</Fact>
        <Fact term={text.loss}>{lossOf(run)}</Fact>
        <Fact term={text.size}>{text.parameters(parameters)}</Fact>
        <Fact term={text.cost}>{text.costOf(bytes.first, bytes.up, bytes.down)}</Fact>
      </dl>
      <p class="links">
        <a class="button primary" href={addressOf(run)} aria-label={text.lookAt(name)}>
          {text.look}
        </a>
        <a href={addressOf(run, "status")} aria-label={text.statusOf(name)}>
          {text.status}
        </a>
      </p>
    </article>
  );
}

function Finished({ run }: { readonly run: RunSummary }) {
  const { name, operator, card, deltas, version, parameters, sample } = run;
  return (
    <article class="card">
      <h3>{name}</h3>
      {card.purpose !== undefined && <p>{card.purpose}</p>}
      {operator !== "" && <p class="note">{text.by(operator)}</p>}
      <Curve run={run} />
      <p class="note">{text.made(version, parameters, lossOf(run))}</p>
      {sample !== undefined && (
        <figure>
          <figcaption class="note">{text.wrote}</figcaption>
          <blockquote translate={false}>{sample}</blockquote>
        </figure>
      )}
      <p>{text.thanks(deltas)}</p>
      <p class="links">
        <a
          href={addressOf(run, "api/snapshots/latest.safetensors")}
          download
          aria-label={text.downloadOf(name)}
        >
          {text.download}
        </a>
        <a href={addressOf(run, "status")} aria-label={text.curveOf(name)}>
          {text.curve}
        </a>
        {version > 0 && (
          <a href={addressOf(run, `api/versions/${version}`)} aria-label={text.recordOf(name)}>
            {text.record}
          </a>
        )}
      </p>
    </article>
  );
}

function Progress({ run: { tokensMerged, tokenBudget } }: { readonly run: RunSummary }) {
  const part = tokenBudget > 0 ? tokensMerged / tokenBudget : 0;
  return (
    <div class="far">
      <span>{text.howFar}</span> <strong>{text.ofBudget(part, tokenBudget)}</strong>
      <progress value={Math.min(1, part)} aria-label={text.howFar} />
    </div>
  );
}

const Fact = ({ term, children }: { readonly term: string; readonly children: string }) => (
  <div>
    <dt>{term}</dt>
    <dd>{children}</dd>
  </div>
);

/** In bits a byte, which compares between runs, where that is known. */
function lossOf({ heldOut, bytesPerToken }: RunSummary): string {
  const last = heldOut.at(-1);
  if (last === undefined) return text.notMeasured;
  return common.bitsPerByte(last.loss, bytesPerToken) || text.nats(last.loss);
}

const WIDTH = 100;
const HEIGHT = 24;

/** Held-out loss over tokens, from guessing at the top to the best at the bottom; a picture without axes. */
function Curve({ run: { heldOut, uniform } }: { readonly run: RunSummary }) {
  const [first, last] = [heldOut[0], heldOut.at(-1)];
  if (first === undefined || last === undefined || heldOut.length < 2) return null;
  const least = Math.min(...heldOut.map(({ loss }) => loss));
  const x = ({ tokens }: { readonly tokens: number }) =>
    (WIDTH * (tokens - first.tokens)) / Math.max(1, last.tokens - first.tokens);
  const y = ({ loss }: { readonly loss: number }) =>
    HEIGHT - (HEIGHT * (loss - least)) / Math.max(1e-6, uniform - least);
  const points = heldOut.map((one) => `${x(one).toFixed(1)},${Math.max(0, y(one)).toFixed(1)}`).join(" ");
  return (
    <svg
      class="curve"
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={text.curveSummary(formatLoss(first.loss), formatLoss(last.loss))}
    >
      <polyline points={points} />
    </svg>
  );
}
