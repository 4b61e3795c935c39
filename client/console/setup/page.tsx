import { useEffect, useState } from "preact/hooks";
import type { SetupState } from "../../../protocol/setup.ts";
import { formatBytes, formatCount, formatProbability } from "../../ui/format.ts";
import { CardFields } from "../card-form.tsx";
import { Card } from "../parts.tsx";
import { Cost } from "./cost.tsx";
import { type Draft, FIRST_DRAFT, orderOf } from "./order.ts";
import type { SetupClient } from "./setup-client.ts";
import { SizeForm } from "./size-form.tsx";
import { STAGE, text } from "./strings.ts";
import { TextCard } from "./text-card.tsx";

export interface SetupPageProps {
  readonly setup: SetupClient;
  readonly away: boolean;
  readonly signOut: () => void;
}

/** The page of a server without a run: an operator brings a text, chooses a size, and makes the run. */
export function SetupPage({ setup, away, signOut }: SetupPageProps) {
  const state = setup.state.value;
  const [draft, setDraft] = useState<Draft>(FIRST_DRAFT);
  const corpus = state?.corpus ?? null;
  const order = orderOf(draft, corpus === null ? draft.source : "corpus");
  const asked = JSON.stringify([order, corpus?.vocabulary]);
  useEffect(() => setup.estimateFor(order), [asked]);
  if (state === undefined) return <p class="wait">{text.title}…</p>;
  const ready = corpus !== null || draft.source === "moby-dick" || state.upload?.sha256 != null;
  const possible = typeof setup.estimate.value === "object";
  return (
    <main class="setup">
      {away && (
        <p class="notice" role="status">
          {text.away}
        </p>
      )}
      <header>
        <div>
          <h1>{text.title}</h1>
          <p class="note">{text.signedInAs(state.operator)}</p>
        </div>
        <nav>
          <button type="button" class="quiet" onClick={signOut}>
            {text.signOut}
          </button>
        </nav>
      </header>
      {state.work !== null ? (
        <Working work={state.work} />
      ) : (
        <>
          <p class="lead">{text.lead}</p>
          {state.failed !== null && (
            <section class="notice" role="alert">
              <h2>{text.failed(state.failed.code)}</h2>
              <p>{state.failed.message}</p>
            </section>
          )}
          <TextCard setup={setup} state={state} draft={draft} setDraft={setDraft} />
          <Card title={text.sizeTitle}>
            <SizeForm draft={draft} setDraft={setDraft} vocabulary={corpus?.vocabulary} />
          </Card>
          <Card title={text.cardTitle}>
            <p class="note">{text.cardHelp}</p>
            <form class="settings" onSubmit={(event) => event.preventDefault()}>
              <CardFields card={draft.card} setCard={(card) => setDraft({ ...draft, card })} />
              <label class="long">
                <span>{text.prompts}</span>
                <textarea
                  rows={2}
                  value={draft.prompts}
                  onInput={({ currentTarget }) => setDraft({ ...draft, prompts: currentTarget.value })}
                />
                <small>{text.promptsHelp}</small>
              </label>
            </form>
          </Card>
          <Card title={text.costTitle}>
            <Cost estimate={setup.estimate.value} />
          </Card>
          <section class="create">
            <button
              type="button"
              class="primary"
              disabled={!ready || !possible}
              onClick={() => void setup.createRun(order)}
            >
              {text.create}
            </button>
            {!ready && <p class="note">{text.createFirst}</p>}
            {(draft.card.purpose ?? "").trim() === "" && <p class="note">{text.noPurpose}</p>}
          </section>
        </>
      )}
      <p class="said" role="status">
        {setup.said.value}
      </p>
    </main>
  );
}

const Working = ({ work }: WorkProps) => (
  <Card title={text.making}>
    <Progress work={work} label={text.making} />
    <p class="note">{text.makingHelp}</p>
  </Card>
);

interface WorkProps {
  readonly work: NonNullable<SetupState["work"]>;
}

/** How far a text is on its way into the corpus. */
export function Progress({ work, label }: WorkProps & { readonly label: string }) {
  const { stage, done, total } = work;
  const share = total === null || total === 0 ? undefined : Math.min(1, done / total);
  const amount = stage === "merging" || stage === "comparing" ? formatCount(done) : formatBytes(done);
  return (
    <>
      <p role="status">
        {STAGE[stage]}
        {share !== undefined ? `: ${formatProbability(share)}` : done > 0 ? `: ${amount}` : "…"}
      </p>
      <progress aria-label={label} {...(share !== undefined && { value: share })} max={1} />
    </>
  );
}
