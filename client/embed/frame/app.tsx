import { awayNotice } from "../../ui/away-notice.ts";
import { formatCount, formatLoss } from "../../ui/format.ts";
import { LanguageSwitch } from "../../ui/language-switch.tsx";
import { common } from "../../ui/strings.ts";
import { announcement, phaseLine } from "../../volunteer/lines.ts";
import { OverrideButton, PauseButton } from "../../volunteer/page/controls.tsx";
import { text } from "../../volunteer/strings.ts";
import type { Guest } from "./guest.ts";
import { words } from "./strings.ts";

export interface FrameAppProps {
  readonly guest: Guest;
  /** The server's host. */
  readonly host: string;
}

/** Bytes of one f32 weight: what the first download is made of. */
const WEIGHT_BYTES = 4;

/** A volunteer in a box: one line, three numbers, a few buttons. */
export function FrameApp({ guest, host }: FrameAppProps) {
  const { session, trainer, status } = guest;
  if (!session.agreed.value) return <Question guest={guest} host={host} />;
  const loss = trainer.losses.value.at(-1);
  return (
    <main class="compact" aria-label={text.name}>
      <p class="phase" data-state={session.phase.value.phase}>
        {phaseLine(session.phase.value)}
        {session.phase.value.phase === "unable" && ` ${session.phase.value.detail}`}
      </p>
      <p class="visually-hidden" role="status">
        {announcement(session.phase.value)}
      </p>
      <dl>
        <div>
          <dt>{common.version}</dt>
          <dd>{formatCount(status.value?.version ?? 0)}</dd>
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
        <OverrideButton session={session} />
        <button type="button" onClick={guest.stop}>
          {text.stop}
        </button>
        <button type="button" class="quiet" onClick={() => void guest.revoke()}>
          {words.revoke}
        </button>
        <About />
      </div>
    </main>
  );
}

function waitingLine(guest: Guest): string {
  switch (guest.connection.value) {
    case "no-run":
      return common.noRun;
    case "mismatch":
      return common.mismatch;
    case "away":
      return awayNotice(guest.why.value, common.serverAway);
    default:
      return common.loading;
  }
}

function Question({ guest, host }: FrameAppProps) {
  const status = guest.status.value;
  const { budget } = guest.wishes;
  if (status === undefined || status.state === "finished") {
    return (
      <main class="compact" aria-label={text.name}>
        <p role="status">{status === undefined ? waitingLine(guest) : text.finishedText}</p>
        <div class="buttons">
          <About />
        </div>
      </main>
    );
  }
  const { name, operator, card, parameters, tokenBudget } = status;
  return (
    <main class="compact" aria-label={text.name}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has only a keyboard scrolls what does not fit by it */}
      <section class="question" tabIndex={0} aria-labelledby="question-title">
        <h1 id="question-title">{words.title(name, operator, host)}</h1>
        {card.purpose !== undefined && <p>{card.purpose}</p>}
        <p>
          {isSecureContext
            ? words.text(guest.session.choices.value.share, parameters, tokenBudget, status.audits)
            : text.insecure}{" "}
          {words.budget(budget, parameters * WEIGHT_BYTES)}
          {card.modelLicence !== undefined && ` ${words.licence(card.modelLicence)}`}
        </p>
      </section>
      <div class="buttons">
        {isSecureContext && (
          // A script's click is no consent.
          <button type="button" class="primary" onClick={(event) => event.isTrusted && guest.agree()}>
            {words.agree}
          </button>
        )}
        <button type="button" onClick={guest.refuse}>
          {words.refuse}
        </button>
        <LanguageSwitch />
        <About />
      </div>
    </main>
  );
}

function About() {
  return (
    <a href="./" target="_blank" rel="noopener">
      {words.about}
    </a>
  );
}
