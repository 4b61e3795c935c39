import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Guess, Passage } from "../trainer/messages.ts";
import { formatProbability } from "./format.ts";
import { prefersReducedMotion } from "./look.ts";
import { isRight, text } from "./strings.ts";

/** How long each guess is shown while the passage steps through by itself. */
const STEP_MS = 1_800;

/**
 * The text just sampled for training, token by token. The chosen token's guesses stand beside the truth; a
 * pointer, the arrow keys or time chooses. What it shows is text from strangers and a language model: text nodes.
 */
export function PassageView({ passage }: { readonly passage: Passage }) {
  const chosen = useSignal(0);
  const auto = useSignal(!prefersReducedMotion());
  const held = useSignal(false);
  const count = passage.guesses.length;

  useEffect(() => {
    chosen.value = 0;
  }, [passage]);

  useEffect(() => {
    const timer = setInterval(() => {
      if (auto.value && !held.value && !document.hidden)
        chosen.value = (chosen.value + 1) % Math.max(count, 1);
    }, STEP_MS);
    return () => clearInterval(timer);
  }, [passage]);

  const guess = passage.guesses[Math.min(chosen.value, count - 1)];
  return (
    <div class="passage">
      <p class="summary">
        {text.passage(passage)}
        {count > 1 && (
          <button
            type="button"
            class="quiet"
            aria-pressed={auto.value}
            onClick={() => {
              auto.value = !auto.value;
            }}
          >
            {auto.value ? text.autoOff : text.autoOn}
          </button>
        )}
      </p>
      <Tokens passage={passage} chosen={chosen} held={held} />
      {guess !== undefined && <GuessView guess={guess} before={passage.tokens.slice(0, guess.at)} />}
    </div>
  );
}

interface TokensProps {
  readonly passage: Passage;
  /** Index into the passage's guesses. */
  readonly chosen: Signal<number>;
  /** Whether the visitor is looking at one, so that time does not move on. */
  readonly held: Signal<boolean>;
}

function Tokens({ passage, chosen, held }: TokensProps) {
  const box = useRef<HTMLDivElement>(null);
  const guessAt = new Map(passage.guesses.map((guess, i) => [guess.at, i]));

  function move(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const last = passage.guesses.length - 1;
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : step && chosen.value + step;
    if (to === undefined) return;
    event.preventDefault();
    chosen.value = Math.min(Math.max(to, 0), last);
    box.current?.querySelectorAll("button")[chosen.value]?.focus();
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this is one group of tokens to walk through
    <div
      class="tokens"
      ref={box}
      role="group"
      aria-label={text.readingHelp}
      onKeyDown={move}
      onFocusIn={() => {
        held.value = true;
      }}
      onFocusOut={() => {
        held.value = false;
      }}
      onPointerLeave={() => {
        held.value = false;
      }}
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
          <button
            type="button"
            key={at}
            class={right ? "token right" : "token"}
            tabIndex={chosen.value === i ? 0 : -1}
            aria-current={chosen.value === i}
            aria-label={`${spoken(token)}, ${right ? text.right : text.wrong}`}
            onClick={choose}
            onFocus={choose}
            onPointerEnter={choose}
          >
            {token}
          </button>
        );
      })}
    </div>
  );
}

/** How many characters of what came before are repeated beside the guesses. */
const SHOWN_BEFORE = 28;

function GuessView({ guess, before }: { guess: Passage["guesses"][number]; before: readonly string[] }) {
  const right = isRight(guess);
  const lead = before.join("").slice(-SHOWN_BEFORE);
  return (
    <div class="guess">
      <p class="lead" aria-hidden="true">
        …{lead}
        <span class="gap"> ? </span>
      </p>
      <dl>
        <dt>{text.guess}</dt>
        <dd>
          <ol>
            {guess.best.slice(0, 3).map((option, i) => (
              <Bar key={i} guess={option} kind={option.token === guess.truth.token ? "right" : "other"} />
            ))}
          </ol>
        </dd>
        <dt>{text.truth}</dt>
        <dd>
          <ol>
            <Bar guess={guess.truth} kind="truth" />
          </ol>
        </dd>
      </dl>
      <p class={right ? "verdict right" : "verdict"}>{right ? `✓ ${text.right}` : text.wrong}</p>
    </div>
  );
}

function Bar({ guess, kind }: { readonly guess: Guess; readonly kind: "right" | "other" | "truth" }) {
  return (
    <li class={`bar ${kind}`}>
      <span class="piece">{visible(guess.token)}</span>
      <span class="track" aria-hidden="true">
        <span style={{ width: `${Math.min(100, Math.max(1, guess.probability * 100))}%` }} />
      </span>
      <span class="chance">{formatProbability(guess.probability)}</span>
    </li>
  );
}

/** A token with its blanks made visible, since many tokens differ in nothing else. */
function visible(token: string): string {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

function spoken(token: string): string {
  if (token === "\n") return "line break";
  return token.trim() === "" ? "space" : token;
}
