/** A line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 60;
const RIGHT = 200;
const TOP = 40;
const BOTTOM = 50;
/** Okabe and Ito's colours, which the colour-blind tell apart too. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b"];

/** Draws series over a logarithmic x axis, each with its name at the right. Points with x ≤ 0 are left out. */
export function plot({ title, x, y }: Axes, series: readonly Series[]): string {
  const drawn = series
    .map(({ name, points }) => ({ name, points: points.filter(([at]) => at > 0) }))
    .filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  const [left, right] = bounds(all.map(([at]) => Math.log10(at)));
  const [low, high] = bounds(all.map(([, value]) => value));
  const px = (at: number) => LEFT + ((Math.log10(at) - left) / (right - left)) * (WIDTH - LEFT - RIGHT);
  const py = (value: number) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const lines = drawn.map(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const path = points.map(([at, value]) => `${px(at).toFixed(1)},${py(value).toFixed(1)}`).join(" ");
    const label = TOP + 14 + 18 * i;
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      `<path d="M${WIDTH - RIGHT + 12} ${label - 4}h18" stroke="${colour}" stroke-width="3"/>` +
      text(WIDTH - RIGHT + 36, label, name)
    );
  });
  const xs = decades(left, right).map(
    (at) =>
      grid(px(at), TOP, px(at), HEIGHT - BOTTOM) + text(px(at), HEIGHT - BOTTOM + 18, short(at), "middle"),
  );
  const ys = ticks(low, high).map(
    (value) =>
      grid(LEFT, py(value), WIDTH - RIGHT, py(value)) + text(LEFT - 8, py(value) + 4, short(value), "end"),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 22, title),
    ...xs,
    ...ys,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x, "middle"),
    `<g transform="rotate(-90 16 ${HEIGHT / 2})">${text(16, HEIGHT / 2, y, "middle")}</g>`,
    ...lines,
    "</svg>\n",
  ].join("\n");
}

/** The least and the greatest, apart even where they are one. */
function bounds(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least < most ? [least, most] : [least - 0.5, most + 0.5];
}

/** 1, 2 and 5 of every power of ten within the bounds (given as logarithms). */
function decades(left: number, right: number): number[] {
  const powers = Array.from(
    { length: Math.ceil(right) - Math.floor(left) + 1 },
    (_, i) => Math.floor(left) + i,
  );
  const all = powers.flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
  return all.filter((at) => Math.log10(at) >= left && Math.log10(at) <= right);
}

function ticks(low: number, high: number): number[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5].find((size) => (high - low) / size <= 8) ?? 10;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function short(value: number): string {
  if (value >= 1e9) return `${value / 1e9}G`;
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(3)));
}

const grid = (x1: number, y1: number, x2: number, y2: number): string =>
  `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="#ddd"/>`;

const text = (x: number, y: number, content: string, anchor = "start"): string =>
  `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" text-anchor="${anchor}">${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
