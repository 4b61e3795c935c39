import { useState } from "preact/hooks";
import type { OperatorRun, OperatorRuns } from "../../../protocol/lobby.ts";
import { isRunName, MAX_RUN_NAME, runPath } from "../../../protocol/run-name.ts";
import { Card } from "../parts.tsx";
import { Log } from "./action-log.tsx";
import { Sure } from "./controls.tsx";
import type { RunsClient } from "./runs-client.ts";
import { text } from "./runs-strings.ts";
import { SignIn } from "./sign-in.tsx";
import { text as common } from "./strings.ts";

interface PageProps {
  readonly client: RunsClient;
}

/** All runs of the server, and what their operator can do with each. */
export function RunsPage({ client }: PageProps) {
  const runs = client.runs.value;
  const access = client.access.value;
  if (runs !== undefined) return <List client={client} list={runs} />;
  if (access === "signed-out") {
    return (
      <main>
        <SignIn client={client} elsewhere={["./", text.lobby]} />
      </main>
    );
  }
  return (
    <main>
      <p class="wait" role="status">
        {access === "away" ? common.away : common.loading}
      </p>
    </main>
  );
}

function List({ client, list }: PageProps & { readonly list: OperatorRuns }) {
  return (
    <main>
      {client.access.value === "away" && (
        <p class="notice" role="status">
          {common.away}
        </p>
      )}
      <header>
        <div>
          <h1>{text.title}</h1>
          <p class="note">{text.signedInAs(list.operator)}</p>
        </div>
        <nav>
          <a href="./">{text.lobby}</a>
          <button type="button" class="quiet" onClick={() => void client.signOut()}>
            {common.signOut}
          </button>
        </nav>
      </header>
      <p class="said" role="status">
        {client.said.value}
      </p>
      {list.runs.length === 0 ? (
        <p>{text.none}</p>
      ) : (
        <ul class="runs">
          {list.runs.map((run) => (
            <Run key={run.id} client={client} run={run} />
          ))}
        </ul>
      )}
      <Create client={client} />
      <Card title={text.log}>
        <Log overview={list} />
      </Card>
    </main>
  );
}

function Run({ client, run }: PageProps & { readonly run: OperatorRun }) {
  const { id, state, why } = run;
  return (
    <li class="card" aria-label={id}>
      <header>
        <div>
          <h2>{id}</h2>
          {run.name !== undefined && <p class="note">{run.name}</p>}
        </div>
        <p class={`state ${state}`}>{text.state[state]}</p>
      </header>
      {why !== undefined && <p>{why}</p>}
      {run.part !== undefined && (
        <p class="note">
          {text.far(run.part, run.version ?? 0)} · {text.here(run.volunteers ?? 0)}
        </p>
      )}
      {isRunName(id) && <Actions client={client} run={run} />}
    </li>
  );
}

function Actions({ client, run: { id, path, state } }: PageProps & { readonly run: OperatorRun }) {
  const isMade = state !== "not-made" && state !== "failed";
  return (
    <div class="buttons">
      {state === "failed" ? (
        <button
          type="button"
          aria-label={text.againOf(id)}
          onClick={() => void client.act({ action: "open", id }, text.opened(id))}
        >
          {text.again}
        </button>
      ) : (
        <a
          class="button"
          href={`.${path}/operator`}
          aria-label={isMade ? text.operateOf(id) : text.makeOf(id)}
        >
          {isMade ? text.operate : text.make}
        </a>
      )}
      {isMade && state !== "finished" && (
        <Sure
          name={text.archive}
          label={text.archiveOf(id)}
          why={text.archiveSure(id)}
          yes={text.archiveYes}
          no={text.keep}
          onYes={() => void client.act({ action: "archive", id }, text.archived(id))}
        />
      )}
      <Remove client={client} id={id} />
    </div>
  );
}

/** Asks for the run's name: what is deleted is gone. */
function Remove({ client, id }: PageProps & { readonly id: string }) {
  const [confirm, setConfirm] = useState<string>();
  const submit = (event: Event) => {
    event.preventDefault();
    void client.act({ action: "delete", id, confirm: confirm ?? "" }, text.removed(id));
    setConfirm(undefined);
  };
  const isAsking = confirm !== undefined;
  return (
    <>
      <button
        type="button"
        aria-label={text.removeOf(id)}
        aria-expanded={isAsking}
        onClick={() => setConfirm(isAsking ? undefined : "")}
      >
        {text.remove}
      </button>
      {isAsking && (
        <form class="sure" onSubmit={submit}>
          <p>{text.removeSure(id)}</p>
          <label>
            <span>{text.removeName}</span>
            <input
              value={confirm}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              onInput={({ currentTarget }) => setConfirm(currentTarget.value.trim())}
            />
          </label>
          <p class="buttons">
            <button type="submit" class="danger" disabled={confirm !== id}>
              {text.removeYes}
            </button>
            <button type="button" onClick={() => setConfirm(undefined)}>
              {text.keep}
            </button>
          </p>
        </form>
      )}
    </>
  );
}

function Create({ client }: PageProps) {
  const [id, setId] = useState("");
  const [made, setMade] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!(await client.act({ action: "create", id }, text.made(id)))) return;
    setMade(id);
    setId("");
  };
  return (
    <Card title={text.create}>
      <p class="note">{text.createHelp}</p>
      <form class="line" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{text.name}</span>
          <input
            value={id}
            maxLength={MAX_RUN_NAME}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setId(currentTarget.value.trim().toLowerCase())}
          />
        </label>
        <button type="submit" class="primary" disabled={!isRunName(id)}>
          {text.createYes}
        </button>
      </form>
      {made !== "" && (
        <p>
          <a href={`.${runPath(made)}/operator`}>{text.makeOf(made)}</a>
        </p>
      )}
    </Card>
  );
}
