import type { ReadonlySignal } from "@preact/signals";
import { PauseButton } from "./controls.tsx";
import { formatCount, formatLoss } from "./format.ts";
import type { Session } from "./session.ts";
import { announcement, phaseLine, text } from "./strings.ts";
import type { TrainerHandle } from "./trainer.ts";
import type { RunWatch } from "./watch.ts";

export interface FrameAppProps {
  readonly watch: RunWatch;
  readonly trainer: TrainerHandle;
  readonly session: Session;
  /** Whether the visitor said yes, here or in the loader's panel. */
  readonly begun: ReadonlySignal<boolean>;
  /** The server's host. */
  readonly host: string;
  readonly onAgree: () => void;
  readonly onStop: () => void;
}

/** A volunteer in a box: one line, three numbers, two buttons. */
export function FrameApp(props: FrameAppProps) {
  const { watch, trainer, session, begun, onStop } = props;
  if (!begun.value) return <Question {...props} />;
  const loss = trainer.losses.value.at(-1);
  const line = session.agreed.value ? phaseLine(session.phase.value) : waitingLine(watch);
  return (
    <main class="compact">
      <p class="phase">{line}</p>
      <p class="visually-hidden" role="status">
        {announcement(session.phase.value)}
      </p>
      <dl>
        <div>
          <dt>{text.version}</dt>
          <dd>{formatCount(watch.status.value?.version ?? 0)}</dd>
        </div>
        <div>
          <dt>{text.yourLoss}</dt>
          <dd>{loss === undefined ? "–" : formatLoss(loss)}</dd>
        </div>
        <div>
          <dt>{text.sentTokens}</dt>
          <dd>{formatCount(trainer.sent.value?.tokens ?? 0)}</dd>
        </div>
      </dl>
      <div class="buttons">
        <PauseButton session={session} />
        <button type="button" onClick={onStop}>
          {text.stop}
        </button>
        <About />
      </div>
    </main>
  );
}

function waitingLine(watch: RunWatch): string {
  switch (watch.connection.value) {
    case "no-run":
      return text.noRun;
    case "mismatch":
      return text.mismatch;
    case "away":
      return text.serverAway;
    default:
      return text.loading;
  }
}

function Question({ host, onAgree }: FrameAppProps) {
  return (
    <main class="compact">
      <p>
        <strong>{text.frameTitle(host)}</strong>
        <br />
        {text.frameText}
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onAgree}>
          {text.frameAgree}
        </button>
        <About />
      </div>
    </main>
  );
}

function About() {
  return (
    <a href="/" target="_blank" rel="noopener">
      {text.about}
    </a>
  );
}
