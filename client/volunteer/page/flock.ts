/**
 * The sky over the page: one bird a volunteer, each steering by its seven nearest neighbours (Ballerini et al.
 * 2008 found that starlings count neighbours and ignore distances). Lengths are in heights of the sky, which
 * is `wide` heights wide. Pure, so that a still picture can be made.
 */
export interface Bird {
  /** Position: x in [0, wide), y in [0, 1) downwards. */
  x: number;
  y: number;
  /** Velocity, in heights a second. */
  vx: number;
  vy: number;
}

export const NEIGHBOURS = 7;
/** Birds drawn: nobody could count more, and the processor has better things to do. */
export const MAX_BIRDS = 160;

const SPEED = 0.17;
/** Distance below which a neighbour is pushed off. */
const APART = 0.2;
/** Strength with which a bird heads for its neighbours' middle, and turns their way. */
const TOGETHER = 0.12;
const ALONG = 1.6;

/** A bird that enters the sky. `random` in [0, 1). */
export function newBird(random: () => number, wide: number): Bird {
  const turn = (random() - 0.5) * 1.5;
  return {
    x: wide * (0.35 + 0.35 * random()),
    y: 0.15 + 0.6 * random(),
    vx: SPEED * Math.cos(turn),
    vy: SPEED * Math.sin(turn) * 0.5,
  };
}

/** Moves every bird by `seconds`: towards its neighbours' middle, along their heading, and not into them. */
export function fly(birds: readonly Bird[], seconds: number, wide: number): void {
  const steer = birds.map((bird) => steering(bird, nearest(bird, birds), wide));
  birds.forEach((bird, i) => {
    const [ax, ay] = steer[i] ?? [0, 0];
    bird.vx += ax * seconds;
    bird.vy += ay * seconds;
    const speed = Math.hypot(bird.vx, bird.vy) || 1;
    const wanted = Math.min(Math.max(speed, SPEED * 0.7), SPEED * 1.5) / speed;
    bird.vx *= wanted;
    bird.vy *= wanted;
    bird.x = inside(bird.x + bird.vx * seconds, wide);
    bird.y = inside(bird.y + bird.vy * seconds, 1);
  });
}

const inside = (at: number, size: number) => Math.min(Math.max(at, 0), size * 0.999);

function nearest(bird: Bird, birds: readonly Bird[]): Bird[] {
  return birds
    .filter((other) => other !== bird)
    .map((other) => ({ other, away: (other.x - bird.x) ** 2 + (other.y - bird.y) ** 2 }))
    .sort((a, b) => a.away - b.away)
    .slice(0, NEIGHBOURS)
    .map(({ other }) => other);
}

function steering(bird: Bird, neighbours: readonly Bird[], wide: number): [number, number] {
  let ax = 0.6 * edge(bird.x, wide, 0.6);
  let ay = 0.6 * edge(bird.y, 1, 0.35);
  for (const other of neighbours) {
    const dx = other.x - bird.x;
    const dy = other.y - bird.y;
    const away = Math.hypot(dx, dy) || 1e-6;
    const pull = away < APART ? -1.5 * (APART / away - 1) : TOGETHER;
    ax += (pull * dx + ALONG * (other.vx - bird.vx)) / neighbours.length;
    ay += (pull * dy + ALONG * (other.vy - bird.vy)) / neighbours.length;
  }
  return [ax, ay];
}

/** Turns a bird round gently within `margin` of an edge. */
function edge(at: number, size: number, margin: number): number {
  if (at < margin) return (margin - at) / margin;
  return at > size - margin ? (size - margin - at) / margin : 0;
}
