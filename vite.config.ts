import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { pageFrame } from "./client/build/page-frame.ts";
import { digitsAsset } from "./client/learn/digits-asset.ts";

const pages = join(import.meta.dirname, "client/pages");

/** Every page of ours is modern enough for WebCrypto's Ed25519 (2025), so nothing is lowered further. */
const target = ["chrome137", "firefox130", "safari18"];

const require = createRequire(import.meta.url);

/**
 * tfjs' WASM binaries, which its backend fetches by name from the folder it is told: `tfjs/`. Asking the
 * package for the files keeps them at the version of the code that loads them. Its threads are not used
 * (model/reference/backend.ts), so their binary stays out.
 */
function tfjsBinaries(): Plugin {
  const names = ["tfjs-backend-wasm", "tfjs-backend-wasm-simd"];
  return {
    name: "murmuration-tfjs-binaries",
    async generateBundle() {
      for (const name of names) {
        const file = require.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}.wasm`);
        this.emitFile({ type: "asset", fileName: `tfjs/${basename(file)}`, source: await readFile(file) });
      }
    },
  };
}

/** A chunk's name: "words-people-de" for a catalogue's German strings, so that the files say what they are. */
function wordsName(module: string | null): string {
  const [, part, language] = /(\w+)\/strings\/([\w-]+)\.ts$/.exec(module ?? "") ?? [];
  return part === undefined ? "[name]" : `words-${part}-${language}`;
}

/** Pages of a server of several runs alone, and a person's, which a volunteer's does not need (vite.lobby.config.ts). */
export const LOBBY_PAGES: readonly string[] = ["lobby.html", "runs.html", "person.html"];

/** Pages in client/pages and what they load, into dist/client. */
export const pagesConfig = (
  isOurs: (name: string) => boolean,
  { emptyOutDir, plugins }: { readonly emptyOutDir: boolean; readonly plugins: Plugin[] },
): UserConfig => ({
  root: pages,
  base: "./", // a proxy may serve the pages under a path that nobody told us
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [pageFrame(), ...plugins],
  worker: { format: "es" },
  build: {
    outDir: join(import.meta.dirname, "dist/client"),
    emptyOutDir,
    target,
    cssTarget: target,
    // A data: URL in a script or style would need its own CSP line.
    assetsInlineLimit: 0,
    modulePreload: {
      polyfill: false,
      // Strings import nothing that the page which asks for them has not loaded.
      resolveDependencies: (file, deps) => (file.includes("words-") ? [] : deps),
    },
    rolldownOptions: {
      output: {
        chunkFileNames: ({ facadeModuleId }) => `assets/${wordsName(facadeModuleId)}-[hash].js`,
        // What several pages share, in one file and not in a dozen of a few hundred bytes.
        codeSplitting: {
          groups: [{ name: "shared", test: /\/client\/ui\/(?!loss-chart|use-plot|strings\/)/ }],
        },
      },
      input: Object.fromEntries(
        readdirSync(pages)
          .filter((name) => name.endsWith(".html") && isOurs(name))
          .map((name) => [basename(name, ".html"), join(pages, name)]),
      ),
    },
  },
});

/** Every page of a run, the trainer's Worker and what both load. The embed's loader has its own file. */
export default defineConfig(
  pagesConfig((name) => !LOBBY_PAGES.includes(name), {
    emptyOutDir: true,
    plugins: [tfjsBinaries(), digitsAsset()],
  }),
);
