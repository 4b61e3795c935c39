import type { Report } from "../../client/worker/messages.ts";

const TOKENS =
  "Call| me| Ish|ma|el|.| Some| years| ago|—|never| mind| how| long| prec|ise|ly|—|having| little".split("|");
const OTHERS = [" the", ",", " and", " of", " a", " to", " in", "ing", " whale", " sea", " ship", "\n"];

/** What a Worker answers to a look: two layers of two heads, one looking back one token, others wider. */
export function exampleLook(passage: readonly string[] = []): readonly Report[] {
  const tokens = passage.length === 0 ? TOKENS : passage.slice(0, TOKENS.length);
  const side = tokens.length;
  const [layers, heads] = [2, 2];
  const attention = new Uint8Array(layers * heads * side * side);
  for (let table = 0; table < layers * heads; table++) {
    for (let row = 0; row < side; row++) {
      const weights = Array.from({ length: row + 1 }, (_, at) =>
        Math.exp(-Math.abs(row - at - table) / (1 + table)),
      );
      const sum = weights.reduce((total, weight) => total + weight, 0);
      weights.forEach((weight, at) => {
        attention[(table * side + row) * side + at] = Math.round((255 * weight) / sum);
      });
    }
  }
  const names = [...new Set(tokens), ...OTHERS, ...Array.from({ length: 400 }, (_, i) => `w${i}`)];
  const ids = tokens.map((token) => names.indexOf(token));
  const map = Float32Array.from(
    { length: names.length * 2 },
    (_, i) => Math.sin(i * 12.9898) * Math.cos(i * 0.7),
  );
  return [
    {
      type: "inside",
      inside: {
        version: 160,
        layers,
        heads,
        width: 96,
        tokens,
        ids,
        attention,
        map,
        mapShows: 0.31,
        names,
        nearest: Object.fromEntries(ids.map((id, at) => [id, [tokens[at] ?? "", ...OTHERS.slice(0, 4)]])),
      },
    },
    {
      type: "delta",
      delta: {
        bytes: 151_616,
        plainBytes: 1_141_248,
        parameters: 285_312,
        changed: 241_000,
        steps: 10,
        ratio: 0.0042,
        largest: 0.0113,
        bars: Array.from({ length: 21 }, (_, i) => Math.round(90_000 * Math.exp(-(((i - 10) / 2.2) ** 2)))),
      },
    },
  ];
}
