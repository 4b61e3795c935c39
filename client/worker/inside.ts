import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { CachedDecoder } from "../../model/decode/cached-decoder.ts";
import { nearestTokens, tokenEmbeddings, tokenMap } from "../../model/decode/embeddings.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import type { ModelShape } from "../../protocol/model.ts";
import type { DeltaPicture, Inside } from "./messages.ts";

/** The newest passage's source. */
export interface Shown {
  readonly shape: ModelShape;
  readonly tokenizer: Tokenizer;
  /** The passage's tokens, which the caller may overwrite afterwards. */
  readonly tokens: Uint16Array;
  /** The weights that are about to be trained; nobody changes them. */
  readonly weights: Float32Array;
  readonly version: number;
}

/** Bars of the picture of a delta, an odd number so that one stands for no change. */
const BARS = 21;
/** Neighbours named of each token. */
const NEIGHBOURS = 5;

/** Reads a short passage with plain loops and keeps what the page draws. Loaded when a visitor first looks. */
export function insideOf({ shape, tokenizer, tokens, weights, version }: Shown): Inside {
  const { layers, heads, width } = shape;
  const decoder = new CachedDecoder(shape, weights);
  const length = tokens.length;
  const attention = new Uint8Array(layers * heads * length * length);
  tokens.forEach((token, place) => {
    decoder.read(token);
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const row = decoder.attention(layer, head);
        const from = ((layer * heads + head) * length + place) * length;
        row.forEach((share, at) => {
          attention[from + at] = Math.round(share * 255);
        });
      }
    }
  });
  const embeddings = tokenEmbeddings(shape, weights);
  const { points, shown } = tokenMap(embeddings, width);
  const piece = (token: number) => tokenizer.piece(token);
  return {
    version,
    layers,
    heads,
    width,
    tokens: Array.from(tokens, piece),
    ids: Array.from(tokens),
    attention,
    map: points,
    mapShows: shown,
    names: Array.from({ length: points.length / 2 }, (_, token) => piece(token)),
    nearest: Object.fromEntries(
      [...new Set(tokens)].map((token) => [
        token,
        nearestTokens(embeddings, width, token, NEIGHBOURS).map(piece),
      ]),
    ),
  };
}

/** Counts the values of a delta's frame in bars from the most negative to the most positive, and compares it to the weights. */
export function deltaPicture(
  frame: Uint8Array<ArrayBuffer>,
  weights: Float32Array,
  steps: number,
): DeltaPicture {
  const delta = decodeFrame(frame, weights.length);
  let largest = 0;
  let changed = 0;
  let squares = 0;
  for (const value of delta) {
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
    if (value !== 0) changed++;
  }
  const bars = new Array<number>(BARS).fill(0);
  for (const value of delta) {
    bars[Math.round(((largest === 0 ? 0 : value / largest) + 1) * ((BARS - 1) / 2))]! += 1;
  }
  const size = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0));
  return {
    bytes: frame.length,
    plainBytes: weights.length * Float32Array.BYTES_PER_ELEMENT,
    parameters: weights.length,
    changed,
    steps,
    ratio: size === 0 ? 0 : Math.sqrt(squares) / size,
    largest,
    bars,
  };
}
