import { Bar } from "../ui/bar.tsx";
import { formatPart, formatProbability } from "../ui/format.ts";
import { DigitPicture, Picture } from "./canvas.tsx";
import type { Lesson } from "./messages.ts";
import type { NetworkClient } from "./network-client.ts";
import { FILTERS, WINDOW } from "./shape.ts";
import { filterOf } from "./sliding.tsx";
import { words } from "./strings.ts";

/** The ten probabilities for the digit in view, the truth marked. */
export function Prediction({ lesson }: { readonly lesson: Lesson }) {
  const { probabilities, digit } = lesson;
  const most = Math.max(...probabilities);
  const guess = probabilities.indexOf(most);
  return (
    <div class="guess">
      <ol>
        {Array.from(probabilities, (probability, i) => (
          <Bar
            key={i}
            kind={i === digit.label ? (guess === i ? "right" : "truth") : "other"}
            part={probability}
            value={formatProbability(probability)}
          >
            {i}
            {i === digit.label && <small> {words.truth}</small>}
          </Bar>
        ))}
      </ol>
      <p class={guess === digit.label ? "verdict right" : "verdict"}>
        {words.says(guess, formatProbability(most), digit.label)}
      </p>
    </div>
  );
}

/** The loss as a line, and each filter as it began and as it is. */
export function Adjustment({
  network,
  lesson,
}: {
  readonly network: NetworkClient;
  readonly lesson: Lesson;
}) {
  const first = network.first.value;
  return (
    <>
      <Loss losses={network.losses.value} />
      {first !== undefined && (
        <div class="change">
          <Row title={words.before} lesson={first} label={words.firstFilter} />
          <Row title={words.now} lesson={lesson} label={words.nowFilter} />
        </div>
      )}
    </>
  );
}

interface RowProps {
  readonly title: string;
  readonly lesson: Lesson;
  readonly label: (i: number) => string;
}

function Row({ title, lesson, label }: RowProps) {
  return (
    <>
      <span class="when">{title}</span>
      <div class="filters">
        {Array.from({ length: FILTERS }, (_, i) => (
          <Picture
            key={i}
            values={filterOf(lesson, i)}
            width={WINDOW}
            height={WINDOW}
            signed
            label={label(i)}
          />
        ))}
      </div>
    </>
  );
}

const WIDTH = 300;
const HEIGHT = 70;

function Loss({ losses }: { readonly losses: readonly number[] }) {
  const last = losses.at(-1);
  if (last === undefined) return <p class="wait">{words.lossWait}</p>;
  return (
    <>
      <Line values={losses} top={Math.max(...losses)} label={words.lossLabel(losses[0]!, last)} />
      <p class="note">{words.lossNow(last)}</p>
    </>
  );
}

interface LineProps {
  readonly values: readonly number[];
  readonly top: number;
  readonly label: string;
}

function Line({ values, top, label }: LineProps) {
  const points = values.map((value, i) => {
    const x = (i / Math.max(1, values.length - 1)) * WIDTH;
    return `${x.toFixed(1)},${(2 + (1 - value / top) * (HEIGHT - 4)).toFixed(1)}`;
  });
  return (
    <svg
      class="line"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}

/** Digits kept back, each with the guess; and how the share of right ones rose. */
export function ExamView({ network }: { readonly network: NetworkClient }) {
  const exam = network.exam.value;
  if (exam === undefined) return <p class="wait">{words.examWait}</p>;
  return (
    <>
      <Line
        values={network.exams.value.map(({ right }) => right)}
        top={1}
        label={words.accuracyLabel(exam.right)}
      />
      <p class="accuracy">{formatPart(exam.right)}</p>
      <ol class="exam">
        {exam.shown.map((answer, i) => (
          <li key={i} class={answer.guess === answer.label ? "right" : "wrong"}>
            <DigitPicture pixels={answer.pixels} label={words.examLabel(answer)} />
            <span aria-hidden="true">
              {answer.guess === answer.label ? "✓" : "✗"} {answer.guess}
            </span>
            <small>{formatProbability(answer.probability)}</small>
          </li>
        ))}
      </ol>
    </>
  );
}
