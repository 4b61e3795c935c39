import type { ReadonlySignal } from "@preact/signals";
import { here } from "../../../protocol/address.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { awayNotice } from "../../ui/away-notice.ts";
import { LanguageSwitch } from "../../ui/language-switch.tsx";
import { common } from "../../ui/strings.ts";
import type { RunWatch } from "../../ui/watch.ts";
import { LookInside } from "../inside/inside.tsx";
import { announcement } from "../lines.ts";
import { People } from "../people/lazy.tsx";
import { Proof } from "../proof/lazy.tsx";
import type { KeptRefusals } from "../session/refusals.ts";
import type { Session } from "../session/session.ts";
import type { SharingState } from "../session/sharing.ts";
import type { TrainerHandle } from "../session/worker-client.ts";
import { text } from "../strings.ts";
import { Consent } from "./consent.tsx";
import { Controls } from "./controls.tsx";
import { Cycle } from "./cycle.tsx";
import { YourNumbers } from "./numbers.tsx";
import { PassageView } from "./passage.tsx";
import { RunPanel } from "./run-panel.tsx";
import { Sky } from "./sky.tsx";

export interface AppProps {
  readonly watch: RunWatch;
  readonly trainer: TrainerHandle;
  readonly session: Session;
  readonly refusals: KeptRefusals;
  readonly sharing: ReadonlySignal<SharingState | undefined>;
  readonly host: string;
  readonly secure: boolean;
}

/** The volunteer page, from the first question to the last version. */
export function App(props: AppProps) {
  const { watch, session, trainer } = props;
  const { agreed } = session;
  return (
    <>
      <Header {...props} />
      <main>
        <Notice watch={watch} />
        <div class={agreed.value ? "columns" : "columns asking"}>
          <div class="column">
            {agreed.value ? <YourPart {...props} /> : <Question {...props} />}
            {agreed.value && <LookInside trainer={trainer} />}
          </div>
          <div class="column">
            <RunPanel watch={watch} />
            {watch.status.value !== undefined && <People {...props} />}
          </div>
        </div>
      </main>
      <footer>
        <p>{text.neighbours}</p>
        <p>
          <a href="./how">{text.howPage}</a> · <a href="./playground">{text.playgroundPage}</a> ·{" "}
          <a href="./status">{text.statusPage}</a> · <a href="./bench">{text.benchPage}</a>
        </p>
      </footer>
    </>
  );
}

function Header({ watch, trainer }: AppProps) {
  const status = watch.status.value;
  const volunteers = () => watch.status.value?.volunteers ?? 0;
  const training = () => trainer.sent.value !== undefined && trainer.alive.value && volunteers() > 0;
  return (
    <header>
      <Sky volunteers={volunteers} you={training} />
      <div class="top">
        <LanguageSwitch />
        {status !== undefined && (
          <p class="birds">{training() ? text.birdsWithYou(volunteers()) : text.birds(volunteers())}</p>
        )}
      </div>
      <div class="title">
        <h1>{text.name}</h1>
        <p>{text.tagline}</p>
      </div>
    </header>
  );
}

/** The notice about what keeps this page from its server, if anything does. */
function Notice({ watch }: Pick<AppProps, "watch">) {
  switch (watch.connection.value) {
    case "loading":
      return <p class="notice">{common.loading}</p>;
    case "away":
      return (
        <p class="notice" role="status">
          {awayNotice(watch.why.value, common.serverAway)}
        </p>
      );
    case "no-run":
      return (
        <p class="notice" role="status">
          {common.noRun} <a href="./">{text.noRunLink}</a>
        </p>
      );
    case "mismatch":
      return (
        <p class="notice" role="alert">
          {common.mismatch}
        </p>
      );
    case "live":
      return null;
  }
}

function Question({ watch, session, host, secure }: AppProps) {
  const status = watch.status.value;
  if (status === undefined) return null;
  if (status.state === "finished") return <Finished />;
  return <Consent status={status} host={host} secure={secure} onAgree={() => session.agree(status.run)} />;
}

/** A finished run asks nothing of anyone. */
function Finished() {
  return (
    <section class="card" aria-labelledby="finished-title">
      <h2 id="finished-title">{text.finishedTitle}</h2>
      <p>{text.finishedText}</p>
      <p>
        <a href={here(ROUTES.latestSnapshot)} download>
          {text.downloadModel}
        </a>
      </p>
    </section>
  );
}

function YourPart({ watch, session, trainer, refusals, sharing }: AppProps) {
  const passage = trainer.passage.value;
  if (watch.status.value?.state === "finished" && trainer.manifest.value === undefined) return <Finished />;
  return (
    <>
      <section class="card" aria-labelledby="part-title">
        <h2 id="part-title">{text.yourPart}</h2>
        <p class="visually-hidden" role="status">
          {announcement(session.phase.value)}
        </p>
        <Controls session={session} trainer={trainer} sharing={sharing} />
        <Cycle trainer={trainer} />
        <YourNumbers trainer={trainer} refusals={refusals.list.value} />
        <Proof trainer={trainer} watch={watch} />
      </section>
      <section class="card" aria-labelledby="reading-title">
        <h2 id="reading-title">{text.reading}</h2>
        {trainer.missing.value.has("tokenizer") ? (
          <p class="wait" role="status">
            {text.readingMissing}
          </p>
        ) : passage === undefined ? (
          <p class="wait">{text.readingWait}</p>
        ) : (
          <PassageView newest={passage} />
        )}
      </section>
    </>
  );
}
