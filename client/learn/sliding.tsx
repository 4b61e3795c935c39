import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { colourOf, prefersReducedMotion } from "../ui/canvas-style.ts";
import { Picture } from "./canvas.tsx";
import { drawDigit, drawGrid } from "./draw.ts";
import type { Lesson } from "./messages.ts";
import type { NetworkClient } from "./network-client.ts";
import { FILTERS, MAP, WINDOW } from "./shape.ts";
import { words } from "./strings.ts";

const PLACES = MAP ** 2;
/** Places a second: a digit is crossed in about five, row by row. */
const PLACES_PER_SECOND = 120;
const DIGIT_SCALE = 8;

/** A filter's window over the digit, and the feature map that it fills in as it goes. */
export function Sliding({ network, lesson }: { readonly network: NetworkClient; readonly lesson: Lesson }) {
  const chosen = useSignal(0);
  const place = useSignal(PLACES / 2 + MAP / 2 - 2);
  const sliding = useSignal(!prefersReducedMotion());
  const digit = useRef<HTMLCanvasElement>(null);
  const map = useRef<HTMLCanvasElement>(null);
  const row = useComputed(() => Math.floor(place.value / MAP));
  const filter = chosen.value;
  const answer = mapOf(lesson, filter)[place.value] ?? 0;

  useEffect(() => {
    let frame = 0;
    let before = performance.now();
    let exact = place.peek();
    const slide = (now: number) => {
      frame = requestAnimationFrame(slide);
      if (!sliding.peek()) {
        exact = place.peek();
      } else if (!document.hidden) {
        exact = (exact + (Math.min(now - before, 100) * PLACES_PER_SECOND) / 1_000) % PLACES;
        place.value = Math.floor(exact);
      }
      before = now;
    };
    frame = requestAnimationFrame(slide);
    return () => cancelAnimationFrame(frame);
  }, []);

  useSignalEffect(() => {
    const now = network.lesson.value;
    const at = place.value;
    const [over, into] = [digit.current, map.current];
    const [overInk, intoInk] = [over?.getContext("2d"), into?.getContext("2d")];
    if (now === undefined || !over || !into || !overInk || !intoInk) return;
    drawDigit(overInk, now.digit.pixels, colourOf(over, "--bird"), DIGIT_SCALE, {
      row: row.value,
      column: at % MAP,
      side: WINDOW,
      colour: colourOf(over, "--bird-you"),
    });
    const values = mapOf(now, chosen.value);
    drawGrid(
      intoInk,
      { values, width: MAP, height: MAP },
      colourOf(into, "--accent"),
      undefined,
      sliding.value ? at + 1 : PLACES,
    );
    intoInk.fillStyle = colourOf(into, "--bird-you");
    intoInk.fillRect(at % MAP, row.value, 1, 1);
  });

  return (
    <>
      <div class="sliding">
        <canvas ref={digit} class="grid large" role="img" aria-label={words.digitLabel(lesson.digit.label)} />
        <div class="between">
          <Picture
            values={filterOf(lesson, filter)}
            width={WINDOW}
            height={WINDOW}
            signed
            label={words.filterNumber(filter)}
          />
          <span class="answer">{words.answer(answer)}</span>
        </div>
        <canvas ref={map} class="grid large" role="img" aria-label={words.mapLabel(filter)} />
      </div>
      <div class="buttons small">
        <button
          type="button"
          onClick={() => {
            sliding.value = !sliding.value;
          }}
        >
          {sliding.value ? words.hold : words.slide}
        </button>
        <button type="button" onClick={network.another}>
          {words.another}
        </button>
        <label class="window">
          <span>{words.windowLabel}</span>
          <input
            type="range"
            min={0}
            max={PLACES - 1}
            value={place.value}
            aria-valuetext={words.windowAt(row.value, place.value % MAP)}
            onInput={(event) => {
              sliding.value = false;
              place.value = event.currentTarget.valueAsNumber;
            }}
          />
        </label>
      </div>
      <h4>{words.maps}</h4>
      <p class="note">{words.mapsHelp}</p>
      <ol class="maps">
        {Array.from({ length: FILTERS }, (_, i) => (
          <li key={i}>
            <button
              type="button"
              class="feature"
              aria-pressed={i === filter}
              aria-label={words.filterNumber(i)}
              onClick={() => {
                chosen.value = i;
              }}
            >
              <Picture values={filterOf(lesson, i)} width={WINDOW} height={WINDOW} signed />
              <Picture values={mapOf(lesson, i)} width={MAP} height={MAP} />
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

export const filterOf = ({ filters }: Lesson, i: number): Float32Array =>
  filters.subarray(i * WINDOW ** 2, (i + 1) * WINDOW ** 2);

const mapOf = ({ maps }: Lesson, i: number): Float32Array => maps.subarray(i * PLACES, (i + 1) * PLACES);
