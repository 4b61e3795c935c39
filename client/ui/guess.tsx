import type { Guess, Passage } from "../worker/messages.ts";
import { Bar, type BarProps } from "./bar.tsx";
import { formatProbability } from "./format.ts";
import { common } from "./strings.ts";

/** Characters of the text before that are repeated over the guesses. */
const SHOWN_BEFORE = 32;

export interface GuessViewProps {
  readonly guess: Passage["guesses"][number];
  readonly before: readonly string[];
}

/** The model's guesses at one place, and the text's own token. */
export function GuessView({ guess, before }: GuessViewProps) {
  const right = isRight(guess);
  return (
    <div class="guess">
      <p class="lead" dir="auto" aria-hidden="true">
        <span>…{before.join("").slice(-SHOWN_BEFORE)}</span>
        <span class="gap">?</span>
      </p>
      <dl>
        <dt>{common.guess}</dt>
        <dd>
          <ol>
            {guess.best.slice(0, 3).map((option) => (
              <Option
                key={option.token}
                guess={option}
                kind={option.token === guess.truth.token ? "right" : "other"}
              />
            ))}
          </ol>
        </dd>
        <dt>{common.truth}</dt>
        <dd>
          <ol>
            <Option guess={guess.truth} kind="truth" />
          </ol>
        </dd>
      </dl>
      <p class={right ? "verdict right" : "verdict"}>
        {common.verdict(
          right ? `✓ ${common.right}` : common.wrong,
          common.chanceInWords(Math.max(guess.truth.probability, 1e-6)),
        )}
      </p>
    </div>
  );
}

function Option({ guess, kind }: { readonly guess: Guess; readonly kind: BarProps["kind"] }) {
  return (
    <Bar kind={kind} part={guess.probability} value={formatProbability(guess.probability)}>
      {visible(guess.token)}
    </Bar>
  );
}

/** A token with its blanks made visible, since many tokens differ in nothing else. */
export function visible(token: string): string {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

/** Whether the model's best guess was what the text says. */
export function isRight({ best, truth }: Passage["guesses"][number]): boolean {
  return best[0]?.token === truth.token;
}
