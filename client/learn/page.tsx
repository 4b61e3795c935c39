import type { ComponentChildren } from "preact";
import type { RunStatus } from "../../protocol/status.ts";
import { Bar } from "../ui/bar.tsx";
import { formatChoices } from "../ui/format.ts";
import { SamplePair } from "../ui/samples.tsx";
import { common } from "../ui/strings.ts";
import type { RunWatch } from "../ui/watch.ts";
import { Adjustment, ExamView, Prediction } from "./lessons.tsx";
import type { NetworkClient } from "./network-client.ts";
import { Sliding } from "./sliding.tsx";
import { words } from "./strings.ts";
import { TextWindow } from "./text-window.tsx";

export interface HowProps {
  readonly watch: RunWatch;
  readonly network: NetworkClient;
}

/** Bytes of the digits, their decoder and tfjs with its WASM backend, gzipped. */
const DOWNLOADS = 1_000_000;

/** Training told twice, step beside step: of pictures, live in this page, and of text, in the server's run. */
export function How({ watch, network }: HowProps) {
  const status = watch.status.value;
  const lesson = network.lesson.value;
  return (
    <>
      <header class="plain">
        <h1>{words.title}</h1>
        <p>{words.tagline}</p>
      </header>
      <main>
        <p class="intro">{words.intro}</p>
        <section class="card workspace" aria-label={words.pictures}>
          <Workspace network={network} />
        </section>
        {status === undefined && watch.connection.value !== "loading" && (
          <p class="notice" role="status">
            {words.runAway}
          </p>
        )}
        <Stage number={1} title={words.sample}>
          <Side title={words.pictures} lead={words.samplePicture}>
            {lesson !== undefined && <Sliding network={network} lesson={lesson} />}
          </Side>
          <Side
            title={words.text}
            lead={
              status === undefined
                ? words.sampleTextUnknown
                : words.sampleText(status.model.context, status.model.vocabulary)
            }
          >
            {status?.sample != null && <TextWindow sample={status.sample} />}
            <p>
              <a href="./">{words.seeGuesses}</a>
            </p>
          </Side>
        </Stage>
        <Stage number={2} title={words.predict}>
          <Side title={words.pictures} lead={words.predictPicture}>
            {lesson !== undefined && <Prediction lesson={lesson} />}
          </Side>
          <Side
            title={words.text}
            lead={
              status === undefined ? words.predictTextUnknown : words.predictText(status.model.vocabulary)
            }
          >
            {status !== undefined && <Choices status={status} />}
          </Side>
        </Stage>
        <Stage number={3} title={words.adjust}>
          <Side title={words.pictures} lead={words.adjustPicture}>
            {lesson !== undefined && <Adjustment network={network} lesson={lesson} />}
          </Side>
          <Side
            title={words.text}
            lead={status === undefined ? words.adjustTextUnknown : words.adjustText(status.parameters)}
          >
            {status !== undefined && <Versions status={status} />}
          </Side>
        </Stage>
        <div class="columns">
          <section class="card" aria-labelledby="exam-title">
            <h2 id="exam-title">{words.exam}</h2>
            <p class="note">{words.examHelp}</p>
            <ExamView network={network} />
          </section>
          <section class="card" aria-labelledby="wrote-title">
            <h2 id="wrote-title">{words.wrote}</h2>
            <p class="note">{words.wroteHelp}</p>
            {status !== undefined && <SamplePair newest={status.sample} early={status.samples} />}
          </section>
        </div>
        <Same vocabulary={status?.model.vocabulary} />
      </main>
      <footer>
        <p>
          <a href="./">{words.back}</a>
        </p>
      </footer>
    </>
  );
}

/** Start, pause, one step, start over. */
function Workspace({ network }: { readonly network: NetworkClient }) {
  const phase = network.phase.value;
  switch (phase.phase) {
    case "absent":
      return (
        <>
          <button type="button" class="primary large" onClick={network.start}>
            {words.begin}
          </button>
          <p class="note">{words.beginNote(DOWNLOADS)}</p>
        </>
      );
    case "failed":
      return (
        <>
          <p class="warning" role="alert">
            {words.failed} {phase.detail}
          </p>
          <button type="button" class="primary" onClick={network.start}>
            {common.retry}
          </button>
        </>
      );
    default: {
      const learning = phase.phase === "learning" || phase.phase === "loading";
      const exam = network.exam.value;
      return (
        <>
          <p class={learning ? "phase training" : "phase"}>
            <span class="lamp" aria-hidden="true" />
            {words[phase.phase]}
          </p>
          <p class="note progress">{words.progress(network.lesson.value?.step ?? 0, exam?.right)}</p>
          <p class="visually-hidden" role="status">
            {learning || exam === undefined ? "" : words.announced(exam.right)}
          </p>
          <div class="buttons">
            {phase.phase !== "finished" && (
              <>
                <button type="button" class="primary" onClick={learning ? network.pause : network.start}>
                  {learning ? words.pause : words.go}
                </button>
                <button type="button" onClick={network.one}>
                  {words.one}
                </button>
              </>
            )}
            <button type="button" onClick={network.reset}>
              {words.reset}
            </button>
            <label class="hurry">
              <input
                type="checkbox"
                checked={network.hurry.value}
                onChange={(event) => network.setHurry(event.currentTarget.checked)}
              />
              {words.hurry}
            </label>
          </div>
        </>
      );
    }
  }
}

interface StageProps {
  readonly number: number;
  readonly title: string;
  readonly children: ComponentChildren;
}

function Stage({ number, title, children }: StageProps) {
  return (
    <section class="stage" aria-labelledby={`stage-${number}`}>
      <h2 id={`stage-${number}`}>
        <span class="number" aria-hidden="true">
          {number}
        </span>
        {title}
      </h2>
      <div class="columns">{children}</div>
    </section>
  );
}

interface SideProps {
  readonly title: string;
  readonly lead: string;
  readonly children: ComponentChildren;
}

function Side({ title, lead, children }: SideProps) {
  return (
    <div class="card">
      <h3>{title}</h3>
      <p>{lead}</p>
      {children}
    </div>
  );
}

/** Uncertainty at the start and now, as bars on a logarithmic scale: half the bar is the square root. */
function Choices({ status }: { readonly status: RunStatus }) {
  const first = status.heldOut[0];
  const last = status.heldOut.at(-1);
  if (first === undefined || last === undefined || last === first) return null;
  // An untrained model can be surer of the wrong token than one that guesses; among more than there are nobody picks.
  const uniform = Math.log(status.model.vocabulary);
  const [from, to] = [Math.min(first.loss, uniform), Math.min(last.loss, uniform)];
  const bars = [
    [words.choicesStart, from],
    [words.choicesNow, to],
  ] as const;
  const most = Math.max(from, to);
  return (
    <>
      <div class="guess">
        <ol aria-label={words.choicesLabel}>
          {bars.map(([when, loss]) => (
            <Bar key={when} kind="other" part={loss / most} value={formatChoices(loss)}>
              {when}
            </Bar>
          ))}
        </ol>
      </div>
      <p class="note">{words.choices(from, to, last.version)}</p>
    </>
  );
}

function Versions({ status }: { readonly status: RunStatus }) {
  const newest = status.versions[0];
  return (
    <>
      {newest !== undefined && <p>{words.lastVersion(newest.version, newest.deltas, newest.tokens)}</p>}
      <p class="note">{words.everybody(status.version, status.tokensMerged)}</p>
    </>
  );
}

function Same({ vocabulary }: { readonly vocabulary: number | undefined }) {
  const [, ...heads] = words.columns;
  return (
    <section class="card" aria-labelledby="same-title">
      <h2 id="same-title">{words.same}</h2>
      <p>{words.sameText}</p>
      <table class="same">
        <thead>
          <tr>
            <td />
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {words.rows(vocabulary).map(([what, here, there]) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td>{here}</td>
              <td>{there}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
