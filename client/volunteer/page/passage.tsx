import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { prefersReducedMotion } from "../../ui/canvas-style.ts";
import { GuessView, isRight } from "../../ui/guess.tsx";
import { common } from "../../ui/strings.ts";
import type { Passage } from "../../worker/messages.ts";
import { text } from "../strings.ts";

/** Milliseconds that each guess is shown while the passage steps through by itself. */
const STEP_MS = 1_800;
/** Milliseconds that each passage stays, so that it can be read: a ticket may take only two seconds. */
const STAY_MS = 15_000;

/**
 * The text just sampled for training, token by token. The chosen token's guesses stand beside the truth; a
 * pointer, the arrow keys or time chooses. A newer passage waits until this one was looked at, or is asked for.
 * Its text comes from strangers and a language model: text nodes only.
 */
export function PassageView({ newest }: { readonly newest: Passage }) {
  const shown = useSignal(newest);
  const since = useSignal(performance.now());
  const chosen = useSignal(0);
  const auto = useSignal(!prefersReducedMotion());
  const held = useSignal(false);
  const passage = shown.value;

  function show() {
    shown.value = newest;
    since.value = performance.now();
    chosen.value = 0;
  }

  useEffect(() => {
    const timer = setInterval(() => {
      if (!auto.value || held.value || document.hidden) return;
      if (newest !== passage && performance.now() - since.value > STAY_MS) show();
      else chosen.value = (chosen.value + 1) % Math.max(passage.guesses.length, 1);
    }, STEP_MS);
    return () => clearInterval(timer);
  }, [newest, passage]);

  const guess = passage.guesses[chosen.value];
  return (
    <div class="passage">
      <div class="summary">
        <p>{text.passage(passage.version, passage.guesses.filter(isRight).length, passage.guesses.length)}</p>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            auto.value = !auto.value;
          }}
        >
          {auto.value ? text.autoOff : text.autoOn}
        </button>
        <button type="button" class="quiet" disabled={newest === passage} onClick={show}>
          {text.nextPassage}
        </button>
      </div>
      <Tokens passage={passage} chosen={chosen} held={held} />
      {guess !== undefined && <GuessView guess={guess} before={passage.tokens.slice(0, guess.at)} />}
      <p class="note">
        {text.readingHelp} {text.passageInWords(passageLoss(passage))}
      </p>
    </div>
  );
}

/** Mean surprise at the passage's own tokens, in nats. */
function passageLoss({ guesses }: Passage): number {
  const nats = guesses.map(({ truth }) => -Math.log(Math.max(truth.probability, 1e-9)));
  return nats.reduce((sum, one) => sum + one, 0) / Math.max(nats.length, 1);
}

interface TokensProps {
  readonly passage: Passage;
  /** Index into the passage's guesses. */
  readonly chosen: Signal<number>;
  /** Whether the visitor is looking at one, so that time does not move on. */
  readonly held: Signal<boolean>;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** A list box whose options are pieces of running text: one tab stop, and the words still wrap as words. */
function Tokens({ passage, chosen, held }: TokensProps) {
  const id = useId();
  const last = passage.guesses.length - 1;
  const guessAt = new Map(passage.guesses.map((guess, i) => [guess.at, i]));
  const hold = (value: boolean) => () => {
    held.value = value;
  };

  function move(event: KeyboardEvent) {
    const step = STEPS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : step && chosen.value + step;
    if (to === undefined) return;
    event.preventDefault();
    chosen.value = Math.min(Math.max(to, 0), last);
  }

  return (
    <div
      class="tokens"
      translate={false}
      dir="auto"
      role="listbox"
      tabIndex={0}
      aria-label={text.readingLabel}
      aria-activedescendant={`${id}-${chosen.value}`}
      onKeyDown={move}
      onFocus={hold(true)}
      onBlur={hold(false)}
      onPointerLeave={hold(false)}
    >
      {passage.tokens.map((token, at) => {
        const i = guessAt.get(at);
        if (i === undefined) return <span key={at}>{token}</span>;
        const right = isRight(passage.guesses[i]!);
        const choose = () => {
          chosen.value = i;
          held.value = true;
        };
        return (
          // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the list box, which names its active option
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list box hears the keys
          <span
            key={at}
            id={`${id}-${i}`}
            role="option"
            class={right ? "token right" : "token"}
            aria-selected={chosen.value === i}
            aria-label={`${spoken(token)}, ${right ? common.right : common.wrong}`}
            onClick={choose}
            onPointerEnter={choose}
          >
            <Piece token={token} />
          </span>
        );
      })}
    </div>
  );
}

/** A token whose leading blank belongs to it and is not painted: words look like words. */
function Piece({ token }: { readonly token: string }) {
  const word = token.trimStart();
  if (word === "") return <b>{token}</b>;
  return (
    <>
      {token.slice(0, token.length - word.length)}
      <b>{word}</b>
    </>
  );
}

function spoken(token: string): string {
  if (token === "\n") return text.lineBreak;
  return token.trim() === "" ? text.blank : token;
}
