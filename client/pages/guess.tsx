import type { Guess, Passage } from "../trainer/messages.ts";
import { formatProbability } from "./format.ts";
import { isRight, text } from "./strings.ts";

/** How many characters of what came before are repeated over the guesses. */
const SHOWN_BEFORE = 32;

export interface GuessViewProps {
  readonly guess: Passage["guesses"][number];
  readonly before: readonly string[];
}

/** What the model expected at one place, and what the text says there. */
export function GuessView({ guess, before }: GuessViewProps) {
  const right = isRight(guess);
  return (
    <div class="guess">
      <p class="lead" aria-hidden="true">
        <span>…{before.join("").slice(-SHOWN_BEFORE)}</span>
        <span class="gap">?</span>
      </p>
      <dl>
        <dt>{text.guess}</dt>
        <dd>
          <ol>
            {guess.best.slice(0, 3).map((option) => (
              <Bar
                key={option.token}
                guess={option}
                kind={option.token === guess.truth.token ? "right" : "other"}
              />
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
      <p class={right ? "verdict right" : "verdict"}>
        {right ? `✓ ${text.right}` : text.wrong}.{" "}
        {text.chanceInWords(Math.max(guess.truth.probability, 1e-6))}
      </p>
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
export function visible(token: string): string {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}
