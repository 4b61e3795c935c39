import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { fetchWords } from "../../language/current.ts";
import { awayNotice } from "../../ui/away-notice.ts";
import { formatCount, formatLoss } from "../../ui/format.ts";
import { LanguageSwitch } from "../../ui/language-switch.tsx";
import { Lazy } from "../../ui/lazy.tsx";
import { common } from "../../ui/strings.ts";
import { announcement, phaseLine } from "../../volunteer/lines.ts";
import { OverrideButton, PauseButton } from "../../volunteer/page/controls.tsx";
import { text } from "../../volunteer/strings.ts";
import { writerStrings } from "../../writer/strings.ts";
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
  const hasAsked = useSignal(false);
  if (guest.asking.value && status.value !== undefined) {
    const { parameters } = status.value;
    const close = () => {
      guest.asking.value = false;
      hasAsked.value = true;
    };
    const props = { bytes: parameters * WEIGHT_BYTES, fetched: guest.fetched, close };
    return <Lazy wanted load={loadAsk} props={props} />;
  }
  const ask = <AskButton guest={guest} focused={hasAsked.value} />;
  if (!session.agreed.value) return <Question guest={guest} host={host} ask={ask} />;
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
        {ask}
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

function Question({ guest, host, ask }: FrameAppProps & { readonly ask: VNode }) {
  const status = guest.status.value;
  const { budget } = guest.wishes;
  if (status === undefined || status.state === "finished") {
    return (
      <main class="compact" aria-label={text.name}>
        <p role="status">{status === undefined ? waitingLine(guest) : text.finishedText}</p>
        <div class="buttons">
          {status !== undefined && ask}
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
            : text.insecure}
          {words.budget(budget, parameters * WEIGHT_BYTES)}
          {card.modelLicence !== undefined && words.licence(card.modelLicence)}
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
        {ask}
        <LanguageSwitch />
        <About />
      </div>
    </main>
  );
}

async function loadAsk() {
  const [{ Ask }] = await Promise.all([import("./ask.tsx"), fetchWords(writerStrings)]);
  return Ask;
}

interface AskButtonProps {
  readonly guest: Guest;
  readonly focused: boolean;
}

/** Has the model write, where the site wants that offered. It has the focus again when the visitor comes back. */
function AskButton({ guest: { wishes, asking }, focused }: AskButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (focused) button.current?.focus();
  }, []);
  if (wishes.ask === undefined) return null;
  return (
    <button
      ref={button}
      type="button"
      onClick={() => {
        asking.value = true;
      }}
    >
      {words.ask}
    </button>
  );
}

function About() {
  return (
    <a href="./" target="_blank" rel="noopener">
      {words.about}
    </a>
  );
}
