import { Random } from "../../model/lib/random.ts";
import { dotsOf, drawable, GLYPH_WIDTH } from "./glyphs.ts";
import { type Picture, png } from "./png.ts";

/** What a card says. */
export interface ShareCard {
  readonly name: string;
  readonly tokens: string;
  readonly run: string;
}

/** Pixels: what Open Graph's readers crop least. */
const [WIDTH, HEIGHT] = [1_200, 630];
const MARGIN = 80;
/** Birds in the sky, and pixels of it. */
const BIRDS = 160;
const SKY = 250;
/** Colours of the pages' dusk, from above. */
const DUSK = [
  [22, 29, 56],
  [51, 41, 74],
  [91, 54, 64],
] as const;
const STEPS = 200;
const [INK, BIRD, WARM] = [STEPS, STEPS + 1, STEPS + 2];

/**
 * A card of a person for social networks, which read pictures and no SVG. A name in letters that we cannot draw is left to
 * the page's title.
 */
export function shareCard({ name, tokens, run }: ShareCard): Uint8Array<ArrayBuffer> {
  const picture: Picture = {
    width: WIDTH,
    height: HEIGHT,
    palette: [...sky(), [233, 230, 224], [201, 210, 242], [255, 176, 102]],
    pixels: new Uint8Array(WIDTH * HEIGHT),
  };
  for (let y = 0; y < HEIGHT; y++) {
    picture.pixels.fill(Math.floor((y * STEPS) / HEIGHT), y * WIDTH, (y + 1) * WIDTH);
  }
  flock(picture, name);
  let y = HEIGHT - MARGIN;
  for (const [text, size, colour] of [
    [`trained in a browser: ${run}`, 4, BIRD],
    [`${tokens} tokens`, 9, WARM],
    [name, 9, INK],
  ] as const) {
    const drawn = drawable(text) ?? (text === name ? undefined : drawable("trained in a browser"));
    if (drawn === undefined) continue;
    const fits = Math.min(size, Math.floor((WIDTH - 2 * MARGIN) / (drawn.length * (GLYPH_WIDTH + 1))));
    y -= 7 * fits;
    dotsOf(drawn, (column, row) => {
      disc(picture, MARGIN + (column + 0.5) * fits, y + (row + 0.5) * fits, fits / 2, colour);
    });
    y -= 32;
  }
  return png(picture);
}

/** The same birds for the same name, in a slanting cloud. */
function flock(picture: Picture, name: string): void {
  const random = new Random(
    [...name].reduce((sum, character) => sum * 31 + (character.codePointAt(0) ?? 0), 7),
  );
  const spread = () => random.unit() + random.unit() + random.unit() - 1.5;
  for (let bird = 0; bird < BIRDS; bird++) {
    const along = spread();
    const x = WIDTH * (0.62 + 0.22 * along + 0.03 * spread());
    const y = SKY * (0.55 - 0.25 * along + 0.2 * spread());
    disc(picture, x, y, bird === 0 ? 5 : 2 + 2.5 * random.unit(), bird === 0 ? WARM : BIRD);
  }
}

function disc({ pixels }: Picture, x: number, y: number, radius: number, colour: number): void {
  for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(HEIGHT - 1, y + radius); row++) {
    for (
      let column = Math.max(0, Math.floor(x - radius));
      column <= Math.min(WIDTH - 1, x + radius);
      column++
    ) {
      if ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= radius ** 2)
        pixels[row * WIDTH + column] = colour;
    }
  }
}

function sky(): readonly (readonly [number, number, number])[] {
  return Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (DUSK.length - 1);
    const [above, below] = [DUSK[Math.floor(place)] ?? DUSK[0], DUSK[Math.ceil(place)] ?? DUSK[2]];
    const mixed = (channel: 0 | 1 | 2) =>
      Math.round(above[channel] + (below[channel] - above[channel]) * (place - Math.floor(place)));
    return [mixed(0), mixed(1), mixed(2)] as const;
  });
}
