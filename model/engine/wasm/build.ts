import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import asc from "assemblyscript/asc";
import { areFresh, headerOf } from "./kernel-sources.ts";
import { FMA_TILE, microkernelSource, PLAIN_TILE, type Tile } from "./microkernel.ts";

/**
 * Compiles the kernels twice, plain SIMD and with fused multiply-add, into modules that hold the binary as
 * base64: the one form that Node, a bundler and a published package all import. Does nothing where that was done
 * from the same sources. `node model/engine/wasm/build.ts`
 */
const here = new URL("./", import.meta.url);

async function compile(name: string, tile: Tile): Promise<number> {
  const output = new Map<string, Uint8Array>();
  const { error, stderr } = await asc.main(
    [
      "index.ts",
      ...["--outFile", "kernels.wasm", "--runtime", "stub", "--optimizeLevel", "3", "--shrinkLevel", "0"],
      ...[
        "--converge",
        "--noAssert",
        "--disableWarning",
        "112",
        "--enable",
        tile.fma ? "simd,relaxed-simd" : "simd",
      ],
    ],
    {
      readFile: async (path) => {
        if (path === "microkernel.ts") return microkernelSource(tile);
        return readFile(new URL(`assembly/${path}`, here), "utf8").catch(() => null);
      },
      writeFile: (path, contents) => {
        if (typeof contents !== "string") output.set(path, contents);
      },
      listFiles: () => [],
    },
  );
  const wasm = output.get("kernels.wasm");
  const complaints = stderr.toString();
  if (error || !wasm || complaints) throw new Error(`AssemblyScript: ${error?.message}\n${complaints}`);
  const base64 = Buffer.from(wasm).toString("base64");
  const source = `${await headerOf(here)}\nexport const KERNELS = "${base64}";\n`;
  await writeFile(new URL(`${name}.generated.ts`, here), source);
  return gzipSync(wasm, { level: 9 }).length;
}

const tiles: readonly [name: string, tile: Tile][] = [
  ["kernels", PLAIN_TILE],
  ["kernels-fma", FMA_TILE],
];
for (const [name, tile] of (await areFresh(here)) ? [] : tiles)
  console.log(`${name}: ${await compile(name, tile)} bytes gzipped`);
