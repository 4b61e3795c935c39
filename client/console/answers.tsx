import { accuracyOf, type QuestionSet } from "../../protocol/answers.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { formatCount, formatProbability } from "../ui/format.ts";
import { Card } from "./parts.tsx";
import { text } from "./strings.ts";

/** The drawing's sides, of a box that is stretched to its place. */
const WIDTH = 400;
const HEIGHT = 100;

/** How many of the questions versions answer right, beside chance; nothing where none are asked. */
export function Answers({ status: { questions, heldOut } }: { readonly status: RunStatus }) {
  if (questions === null) return null;
  const points = heldOut.flatMap(({ tokens, version, right }) =>
    right === undefined ? [] : [{ tokens, version, ...accuracyOf(right, questions) }],
  );
  const last = points.at(-1);
  const chance = formatProbability(questions.chance);
  return (
    <Card title={text.answers}>
      <p class="note">{text.answersHelp(formatCount(questions.questions), chance)}</p>
      {last === undefined ? (
        <p class="wait">{text.answersWait}</p>
      ) : (
        <figure class="answers">
          <p>
            <strong>{formatProbability(last.accuracy)}</strong> ± {formatProbability(last.error)}{" "}
            <small>{text.byVersion(formatCount(last.version))}</small>
          </p>
          <Curve points={points} questions={questions} />
          <figcaption>{text.answersCaption(chance)}</figcaption>
        </figure>
      )}
    </Card>
  );
}

interface CurveProps {
  readonly points: readonly { readonly tokens: number; readonly accuracy: number; readonly error: number }[];
  readonly questions: QuestionSet;
}

/** Accuracy over tokens, within its standard error, from none to all of the questions; chance is dashed. */
function Curve({ points, questions }: CurveProps) {
  const most = Math.max(1, points.at(-1)?.tokens ?? 1);
  const at = (tokens: number, part: number) => {
    const y = HEIGHT * (1 - Math.min(1, Math.max(0, part)));
    return `${((WIDTH * tokens) / most).toFixed(1)},${y.toFixed(1)}`;
  };
  const line = points.map(({ tokens, accuracy }) => at(tokens, accuracy));
  const above = points.map(({ tokens, accuracy, error }) => at(tokens, accuracy + error));
  const below = points.map(({ tokens, accuracy, error }) => at(tokens, accuracy - error));
  const [first, last] = [points[0]?.accuracy ?? 0, points.at(-1)?.accuracy ?? 0];
  const chance = HEIGHT * (1 - questions.chance);
  return (
    <svg
      role="img"
      aria-label={text.answersSummary(formatProbability(first), formatProbability(last))}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <polygon points={[...above, ...below.toReversed()].join(" ")} />
      <line class="chance" x1="0" x2={WIDTH} y1={chance} y2={chance} />
      <polyline points={line.join(" ")} />
    </svg>
  );
}
