import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { colourOf, prefersReducedMotion } from "../../ui/canvas-style.ts";
import { type Bird, fly, MAX_BIRDS, newBird } from "./flock.ts";

export interface SkyProps {
  /** Called for the number of birds; a signal read inside keeps the sky up to date. */
  readonly volunteers: () => number;
  /** Whether one of the birds is the visitor's. */
  readonly you: () => boolean;
}

/** Frames a second: enough for a slow flock, and little of a machine that trains. */
const FRAME_MS = 40;

/** The flock. Decoration for the eye; the number it stands for is text beside it. Still where motion is unwanted. */
export function Sky({ volunteers, you }: SkyProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const birds = useRef<Bird[]>([]);

  useSignalEffect(() => {
    const wanted = Math.min(volunteers(), MAX_BIRDS);
    you();
    while (birds.current.length < wanted) birds.current.push(newBird(Math.random, wideness(canvas.current)));
    birds.current.length = wanted;
    if (canvas.current !== null && prefersReducedMotion()) {
      for (let i = 0; i < 100; i++) fly(birds.current, 0.1, wideness(canvas.current));
      draw(canvas.current, birds.current, you());
    }
  });

  useEffect(() => {
    const target = canvas.current;
    if (target === null) return;
    const still = prefersReducedMotion();
    let before = performance.now();
    let frame = 0;
    const turn = (now: number) => {
      frame = requestAnimationFrame(turn);
      if (now - before < FRAME_MS) return;
      fly(birds.current, Math.min(now - before, 100) / 1000, wideness(target));
      before = now;
      draw(target, birds.current, you());
    };
    // A resized canvas is empty until it is drawn again.
    const resized = new ResizeObserver(() => draw(target, birds.current, you()));
    resized.observe(target);
    if (!still) frame = requestAnimationFrame(turn);
    return () => {
      resized.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);

  return (
    <div class="sky" aria-hidden="true">
      <canvas ref={canvas} />
    </div>
  );
}

/** Least wideness that a page can have which is laid out: before that, birds would gather at the edge of none. */
const MIN_WIDENESS = 3;

/** How many times as wide as high the sky is. */
const wideness = (canvas: HTMLCanvasElement | null) =>
  Math.max(MIN_WIDENESS, canvas?.clientHeight ? canvas.clientWidth / canvas.clientHeight : 0);

function draw(canvas: HTMLCanvasElement, birds: readonly Bird[], you: boolean): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const density = Math.min(devicePixelRatio, 2);
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  const size = birds.length > 60 ? 4 : birds.length > 12 ? 6 : 9;
  const now = performance.now();
  const colour = colourOf(canvas, "--bird");
  const yours = colourOf(canvas, "--bird-you");
  birds.forEach((bird, i) => {
    const mine = you && i === 0;
    context.fillStyle = mine ? yours : colour;
    wings(context, bird.x * height, bird.y * height, mine ? size * 1.4 : size, bird.vx, now / 160 + i * 1.7);
  });
}

/** A bird of two curved wings whose tips rise and fall with `beat`, leaning into its flight. */
function wings(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  vx: number,
  beat: number,
) {
  const lift = size * (0.35 + 0.35 * Math.sin(beat));
  const lean = Math.max(-0.3, Math.min(0.3, vx * 4)) * size;
  context.beginPath();
  context.moveTo(x - size, y - lift);
  context.quadraticCurveTo(x - size * 0.35, y - lift * 0.9, x + lean * 0.3, y);
  context.quadraticCurveTo(x + size * 0.35, y - lift * 0.9, x + size, y - lift);
  context.quadraticCurveTo(x + size * 0.4, y - lift * 0.3, x + lean * 0.3, y + size * 0.38);
  context.quadraticCurveTo(x - size * 0.4, y - lift * 0.3, x - size, y - lift);
  context.fill();
}
