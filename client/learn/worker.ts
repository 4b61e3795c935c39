import { messageOf } from "../../model/lib/message-of.ts";
import { Random } from "../../model/lib/random.ts";
import { type Backend, openBackend } from "../../model/reference/backend.ts";
import { serverOf } from "../../protocol/address.ts";
import { timelyFetch } from "../transport/timely-fetch.ts";
import { monotonic, sleep } from "../worker/time.ts";
import { type Digits, PIXELS, sliceDigits, unpackDigits } from "./digits.ts";
import type { Drawn, PupilCommand, PupilPhase, PupilReport } from "./messages.ts";
import { Network } from "./network.ts";
import { BATCH, DIGIT_KINDS, DIGITS_FILE, HELD_OUT, LAST_STEP } from "./shape.ts";

/**
 * The small network learns here, beside the page's thread, on the processor: it is far too small to gain from
 * a graphics card, and WebAssembly is in every browser that this page runs in.
 */
const SEED = 7;
/** This script lies in the server's folder of assets. */
const SERVER = serverOf(new URL("..", location.href).href);
/** Steps a second that a person can follow. */
const CALM_STEPS_PER_SECOND = 8;
/** Milliseconds between two pictures for the page, and that it stays at one digit. */
const SHOW_EVERY_MS = 120;
const DIGIT_FOR_MS = 5_000;
const EXAM_EVERY_MS = 1_000;
/** Held-out digits shown with their guesses. */
const SHOWN = 12;
/** Milliseconds for half a megabyte on a slow line. */
const DIGITS_MS = 120_000;
/** Held-out digits guessed at once: together their windows take about 30 MB. */
const GUESSED_AT_ONCE = 100;

const say = (report: PupilReport, transfer: Transferable[] = []): void =>
  self.postMessage(report, { transfer });
const enter = (phase: PupilPhase) => say({ type: "phase", phase });

const forever = new AbortController().signal;
let hurry = false;
/** Steps asked for and not yet made. */
let wanted = 0;
let wake: () => void = () => {};
let reset = false;
let another = false;

self.addEventListener("message", ({ data: command }: MessageEvent<PupilCommand>) => {
  switch (command.type) {
    case "start":
      wanted = Number.POSITIVE_INFINITY;
      break;
    case "pause":
      wanted = 0;
      break;
    case "one":
      wanted = 1;
      break;
    case "reset":
      wanted = 0;
      reset = true;
      break;
    case "hurry":
      hurry = command.hurry;
      break;
    case "another":
      another = true;
      break;
  }
  wake();
});

async function live(): Promise<never> {
  enter({ phase: "loading" });
  const [all, backend] = await Promise.all([fetchDigits(), openBackend("wasm", `${SERVER}/tfjs/`)]);
  const held = sliceDigits(all, all.count - HELD_OUT, all.count);
  const taught = sliceDigits(all, 0, all.count - HELD_OUT);
  for (;;) await learn(backend, taught, held);
}

/** One life of a network, from random numbers until it is reset. */
async function learn(backend: Backend, taught: Digits, held: Digits): Promise<void> {
  reset = false;
  const network = new Network(backend, SEED);
  const batches = batchesOf(taught);
  let step = 0;
  let loss: number | undefined;
  let focus = 0;
  let [shownAt, focusedAt, examinedAt] = [0, monotonic(), 0];

  async function show() {
    const digit = sliceDigits(taught, focus, focus + 1);
    const [filters, look] = [await network.filters(), await network.look(digit)];
    const transfer = [filters.buffer, look.maps.buffer, look.probabilities.buffer];
    say({ type: "lesson", lesson: { step, loss, filters, digit: drawn(digit, 0), ...look } }, transfer);
    shownAt = monotonic();
  }
  async function examine() {
    say({ type: "exam", exam: { step, ...(await examOf(network, held)) } });
    examinedAt = monotonic();
  }

  await show();
  await examine();
  while (!reset) {
    if (wanted === 0 || step >= LAST_STEP) {
      enter({ phase: step >= LAST_STEP ? "finished" : "resting" });
      await show();
      await examine();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = () => {};
      if (another) {
        another = false;
        focus = (focus + 1) % taught.count;
        await show();
      }
      if (wanted > 0 && step < LAST_STEP) enter({ phase: "learning" });
      continue;
    }
    const begun = monotonic();
    loss = await network.step(batches.next().value);
    step++;
    wanted--;
    const now = monotonic();
    if (another || now - focusedAt > DIGIT_FOR_MS) {
      another = false;
      focus = (focus + 1) % taught.count;
      focusedAt = now;
    }
    if (now - shownAt > SHOW_EVERY_MS) await show();
    if (now - examinedAt > EXAM_EVERY_MS) await examine();
    const rest = hurry ? 0 : 1_000 / CALM_STEPS_PER_SECOND - (monotonic() - begun);
    await sleep(Math.max(0, rest), forever);
  }
  network.dispose();
}

async function fetchDigits(): Promise<Digits> {
  const response = await timelyFetch(DIGITS_MS)(`${SERVER}/${DIGITS_FILE}`);
  if (!response.ok || response.body === null) throw new Error(`the digits: HTTP ${response.status}`);
  const opened = response.body.pipeThrough(new DecompressionStream("gzip"));
  return unpackDigits(new Uint8Array(await new Response(opened).arrayBuffer()));
}

/** Endless batches, every digit once before any comes again. */
function* batchesOf(digits: Digits): Generator<Digits, never> {
  const random = new Random(SEED);
  const order = Uint16Array.from({ length: digits.count }, (_, i) => i);
  for (let at = order.length; ; at += BATCH) {
    if (at + BATCH > order.length) {
      at = 0;
      random.shuffle(order);
    }
    const pixels = new Float32Array(BATCH * PIXELS);
    const labels = new Uint8Array(BATCH);
    order.subarray(at, at + BATCH).forEach((one, place) => {
      pixels.set(digits.pixels.subarray(one * PIXELS, (one + 1) * PIXELS), place * PIXELS);
      labels[place] = digits.labels[one]!;
    });
    yield { count: BATCH, pixels, labels };
  }
}

async function examOf(network: Network, held: Digits) {
  const shown = [];
  let right = 0;
  for (let from = 0; from < held.count; from += GUESSED_AT_ONCE) {
    const some = sliceDigits(held, from, Math.min(from + GUESSED_AT_ONCE, held.count));
    const table = await network.guess(some);
    for (let at = 0; at < some.count; at++) {
      const row = table.subarray(at * DIGIT_KINDS, (at + 1) * DIGIT_KINDS);
      const probability = Math.max(...row);
      const guess = row.indexOf(probability);
      if (guess === some.labels[at]) right++;
      if (shown.length < SHOWN) shown.push({ ...drawn(some, at), guess, probability });
    }
  }
  return { right: right / held.count, of: held.count, shown };
}

const drawn = ({ pixels, labels }: Digits, at: number): Drawn => ({
  pixels: pixels.slice(at * PIXELS, (at + 1) * PIXELS),
  label: labels[at]!,
});

live().catch((error: unknown) => enter({ phase: "failed", detail: messageOf(error) }));
