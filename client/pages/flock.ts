/**
 * The sky over the page: one bird a volunteer, each steering by its seven nearest neighbours (Ballerini et al.
 * 2008 found that starlings count neighbours and ignore distances). Pure, so that a still picture can be made.
 */
export interface Bird {
  /** Position in the unit sky, both in [0, 1). */
  x: number;
  y: number;
  /** Velocity in skies a second. */
  vx: number;
  vy: number;
}

export const NEIGHBOURS = 7;
/** More would be a cloud nobody can count, drawn on a processor that has better to do. */
export const MAX_BIRDS = 160;

const SPEED = 0.06;
const APART = 0.05;

/** A bird that enters the sky. `random` in [0, 1). */
export function newBird(random: () => number): Bird {
  const heading = random() * 2 * Math.PI;
  return {
    x: 0.15 + 0.7 * random(),
    y: 0.2 + 0.6 * random(),
    vx: SPEED * Math.cos(heading),
    vy: SPEED * Math.sin(heading) * 0.5,
  };
}

/** Moves every bird by `seconds`: towards its neighbours' middle, along their heading, and not into them. */
export function fly(birds: readonly Bird[], seconds: number): void {
  const steer = birds.map((bird) => steering(bird, nearest(bird, birds)));
  birds.forEach((bird, i) => {
    const [ax, ay] = steer[i] ?? [0, 0];
    bird.vx += ax * seconds;
    bird.vy += ay * seconds;
    const speed = Math.hypot(bird.vx, bird.vy) || 1;
    const wanted = Math.min(Math.max(speed, SPEED * 0.7), SPEED * 1.5) / speed;
    bird.vx *= wanted;
    bird.vy *= wanted;
    bird.x = inside(bird.x + bird.vx * seconds);
    bird.y = inside(bird.y + bird.vy * seconds);
  });
}

const inside = (at: number) => Math.min(Math.max(at, 0), 0.999);

function nearest(bird: Bird, birds: readonly Bird[]): Bird[] {
  return birds
    .filter((other) => other !== bird)
    .map((other) => ({ other, away: (other.x - bird.x) ** 2 + (other.y - bird.y) ** 2 }))
    .sort((a, b) => a.away - b.away)
    .slice(0, NEIGHBOURS)
    .map(({ other }) => other);
}

function steering(bird: Bird, neighbours: readonly Bird[]): [number, number] {
  // The edges turn a bird round gently, the vertical ones sooner: the sky is wider than high.
  let ax = 0.5 * (edge(bird.x, 0.08) - 0.1 * (bird.x - 0.5));
  let ay = 0.5 * (edge(bird.y, 0.2) - 0.2 * (bird.y - 0.5));
  for (const other of neighbours) {
    const dx = other.x - bird.x;
    const dy = other.y - bird.y;
    const away = Math.hypot(dx, dy) || 1e-6;
    const pull = away < APART ? -0.5 * (APART / away - 1) : 0.35;
    ax += (pull * dx + 0.8 * (other.vx - bird.vx)) / neighbours.length;
    ay += (pull * dy + 0.8 * (other.vy - bird.vy)) / neighbours.length;
  }
  return [ax, ay];
}

/** Pushes inward within `margin` of an edge. */
function edge(at: number, margin: number): number {
  if (at < margin) return (margin - at) / margin;
  return at > 1 - margin ? (1 - margin - at) / margin : 0;
}
