import { useEffect, useRef } from "preact/hooks";
import { colourOf } from "../../ui/canvas-style.ts";
import { formatPart } from "../../ui/format.ts";
import { visible } from "../../ui/guess.tsx";
import type { Inside } from "../../worker/messages.ts";
import { words } from "./strings.ts";

/** All tokens as points, those of the passage by name, and the chosen one's nearest in words. */
export function TokenMapView({ inside, place }: { readonly inside: Inside; readonly place: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const id = inside.ids[place] ?? 0;

  useEffect(() => {
    const target = canvas.current;
    if (target === null) return;
    const paint = () => drawMap(target, inside, id);
    paint();
    const resized = new ResizeObserver(paint);
    resized.observe(target);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", paint);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", paint);
    };
  }, [inside, id]);

  const { names, nearest, mapShows, tokens } = inside;
  return (
    <section aria-labelledby="map-title">
      <h3 id="map-title">{words.tokenMap}</h3>
      <p class="note">{words.tokenMapHelp(inside.width, formatPart(mapShows))}</p>
      <canvas class="map" ref={canvas} role="img" aria-label={words.tokenMapLabel(names.length)} />
      <p class="nearest">
        {words.nearest(visible(tokens[place] ?? ""))}{" "}
        {(nearest[id] ?? []).map((name, i) => (
          <span key={i} class="neighbour">
            {visible(name)}
          </span>
        ))}
      </p>
    </section>
  );
}

/** CSS pixels for a name beside its point. */
const MARGIN = 28;

function drawMap(canvas: HTMLCanvasElement, { map, names, ids }: Inside, chosen: number): void {
  const context = canvas.getContext("2d");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (context === null || width === 0) return;
  const density = Math.min(devicePixelRatio, 2);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  const x = (token: number) => width / 2 + (map[token * 2] ?? 0) * (width / 2 - MARGIN);
  const y = (token: number) => height / 2 - (map[token * 2 + 1] ?? 0) * (height / 2 - MARGIN / 2);
  const dot = (token: number, radius: number) => {
    context.beginPath();
    context.arc(x(token), y(token), radius, 0, 2 * Math.PI);
    context.fill();
  };
  context.fillStyle = colourOf(canvas, "--muted");
  context.globalAlpha = 0.45;
  names.forEach((_, token) => {
    dot(token, 1.6);
  });
  context.globalAlpha = 1;
  context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = colourOf(canvas, "--card");
  const name = (token: number, colour: string) => {
    if (token >= names.length) return; // beyond the tokens that the map holds
    context.fillStyle = colour;
    dot(token, 3);
    const left = x(token) > width - 2 * MARGIN;
    context.textAlign = left ? "right" : "left";
    const at = [x(token) + (left ? -6 : 6), y(token)] as const;
    const label = visible(names[token] ?? "");
    context.strokeText(label, ...at);
    context.fillText(label, ...at);
  };
  const accent = colourOf(canvas, "--accent");
  for (const token of new Set(ids)) if (token !== chosen) name(token, accent);
  name(chosen, colourOf(canvas, "--bird-you"));
}
