import { formatLarge } from "../../ui/format.ts";
import { words } from "./strings.ts";

interface SummaryProps {
  /** A stranger's word: a text node only. */
  readonly name: string;
  readonly lead: string;
  readonly tokens: number;
  readonly recent: number;
  /** A figure of its own, beside the tokens. */
  readonly figure: readonly [name: string, value: string];
}

/** Whose page it is, and what was given in numbers. */
export function Summary({ name, lead, tokens, recent, figure }: SummaryProps) {
  const figures = [[words.tokens, formatLarge(tokens)], [words.recent, formatLarge(recent)], figure] as const;
  return (
    <>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <p class="lead">{lead}</p>
      <dl class="card numbers">
        {figures.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
