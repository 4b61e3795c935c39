import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "../../protocol/guards.ts";
import { count, flag, list, message, object } from "../../protocol/schema.ts";
import { MAX_SPEED_ROWS, type Speed, type SpeedRow, type SpeedTable, speed } from "../../protocol/speeds.ts";
import { medianOf } from "../lib/median.ts";
import { forgetOldest } from "../lib/oldest.ts";

const FILE = "speeds.json";
/** Devices at a size; the one that nobody has measured for longest goes first. */
const MAX_DEVICES = MAX_SPEED_ROWS;
/** Measurements of one device at one size: the newest. */
const MAX_EACH = 20;
/** Days that a measurement is kept. */
const MAX_DAYS = 180;
const DAY_MS = 86_400_000;

const stored = message({
  taken: flag,
  kept: list(
    object({
      speed,
      /** Since 1970: nobody needs to know the hour. */
      day: count,
    }),
    MAX_DEVICES * MAX_EACH,
  ),
});
type Stored = ReturnType<typeof stored>;
type Kept = Stored["kept"][number];

/**
 * Measurements of /bench that visitors sent. They lie beside the journal, and the run never reads them: whoever lies here
 * makes a table wrong and no ticket, weight or verdict. Of the sender nothing is kept.
 */
export class Speeds {
  readonly #file: string;
  readonly #wallClock: () => number;
  /** By device and size; the one measured last stands last. */
  #kept: Map<string, readonly Kept[]>;
  #taken: boolean;
  #saved: string;

  private constructor(directory: string, wallClock: () => number, { taken, kept }: Stored) {
    this.#file = join(directory, FILE);
    this.#wallClock = wallClock;
    this.#taken = taken;
    this.#kept = new Map();
    this.#saved = "";
    for (const one of kept) this.#keep(one);
    this.#saved = this.#text();
  }

  static async open(directory: string, wallClock: () => number): Promise<Speeds> {
    return new Speeds(directory, wallClock, await readStored(join(directory, FILE)));
  }

  get taken(): boolean {
    return this.#taken;
  }

  add(speeds: readonly Speed[]): void {
    const day = this.#today();
    for (const speed of speeds) this.#keep({ speed, day });
  }

  table(): SpeedTable {
    this.#forgetOld();
    const rows = [...this.#kept.values()].map((kept) => rowOf(kept.map(({ speed }) => speed)));
    const order = (a: SpeedRow, b: SpeedRow) =>
      a.size === b.size ? b.tokensPerSecond - a.tokensPerSecond : a.size < b.size ? 1 : -1;
    return { taken: this.#taken, rows: rows.sort(order) };
  }

  /** Whether further ones are taken. Those that are there stay. */
  take(taken: boolean): void {
    this.#taken = taken;
  }

  forget(): void {
    this.#kept = new Map();
  }

  /** Writes what has changed. Call it every few seconds. */
  async save(): Promise<void> {
    this.#forgetOld();
    const text = this.#text();
    if (text === this.#saved) return;
    await writeFile(`${this.#file}.new`, text);
    await rename(`${this.#file}.new`, this.#file);
    this.#saved = text;
  }

  #keep(one: Kept): void {
    const { device, adapter, size } = one.speed;
    const name = JSON.stringify([device, adapter, size]);
    const before = this.#kept.get(name) ?? [];
    this.#kept.delete(name);
    this.#kept.set(name, [...before, one].slice(-MAX_EACH));
    forgetOldest(this.#kept, MAX_DEVICES);
  }

  #forgetOld(): void {
    const since = this.#today() - MAX_DAYS;
    for (const [name, kept] of this.#kept) {
      const young = kept.filter(({ day }) => day >= since);
      if (young.length === 0) this.#kept.delete(name);
      else if (young.length < kept.length) this.#kept.set(name, young);
    }
  }

  #today(): number {
    return Math.floor(this.#wallClock() / DAY_MS);
  }

  #text(): string {
    const kept = [...this.#kept.values()].flat();
    return `${JSON.stringify({ taken: this.#taken, kept })}\n`;
  }
}

/** The middle of what was sent: one measurement among many that is made up changes little. */
function rowOf(speeds: readonly Speed[]): SpeedRow {
  const shares = speeds.flatMap(({ ofPeak }) => ofPeak ?? []);
  return {
    ...speeds.at(-1)!,
    tokensPerSecond: medianOf(speeds.map(({ tokensPerSecond }) => tokensPerSecond)) ?? 0,
    ofPeak: medianOf(shares) ?? null,
    times: speeds.length,
  };
}

/** A damaged file counts as an empty one. */
async function readStored(file: string): Promise<Stored> {
  try {
    return stored(parseJson(await readFile(file)));
  } catch {
    return { taken: true, kept: [] };
  }
}
