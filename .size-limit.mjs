// What a visitor downloads, gzipped, in bytes. `npm run check` fails above a limit; `npm run sizes` prints them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const client = join(import.meta.dirname, "dist/client");

/** Chunks that come only when they are wanted: charts, the look inside, audits, sharing with peers, what a ticket's end and a model in parts need on WebGPU, what computes activations again or keeps them in f16, attention for software adapters, WebAssembly’s step where a visitor asks for a GPU alone, what reads logits for a passage, what measures micro-batches and sends what an earlier visit left, names, codes and proofs and what both sign with, the tokenizer, and everything of tfjs. Of the strings' languages a page loads one; English is counted. */
const LAZY =
  /^(uPlot|loss-chart|use-plot|tokenizer|reference|inside|audit|batch-speeds|resume-upload|panel|share|line|extraction-(?!ops)|payload|pieces|recompute|levels|half-precision|halves|attention-quad|lone-step|logits|names-panel|qr-code|follow|posts|pseudo|words-(people|proof|inside|anywhere)|words-\w+-(?!en-))\b/;

/** The scripts that a page's HTML leads to, through imports, Workers and dynamic imports, without the lazy ones. */
function scriptsOf(page) {
  const found = new Set();
  const queue = [...readFileSync(join(client, page), "utf8").matchAll(/src="\.\/(assets\/[^"]+\.js)"/g)].map(
    ([, file]) => file,
  );
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(join(client, file), "utf8");
    const names = text.matchAll(/["'`](?:\.?\/)?(?:assets\/)?([\w.-]+\.js)["'`]/g);
    // What is late on one page may be a part of another: a chart is imported as it stands by those that begin with one.
    for (const [, name] of text.matchAll(/\b(?:from|import) ?["'`]\.\/([\w.-]+\.js)["'`]/g))
      queue.push(`assets/${name}`);
    // The operator's page names the loader too, for other sites: it fetches it for its hash alone.
    for (const [, name] of names) if (!LAZY.test(name) && name !== "embed.js") queue.push(`assets/${name}`);
  }
  if (found.size < 3)
    throw new Error(`${page} leads to ${found.size} scripts: the build has changed its shape`);
  return [...found].map((file) => join(client, file));
}

/** One of the two builds of the WASM kernels, as shipped: base64 in a module. */
function kernels(build) {
  const file = readdirSync(join(client, "assets")).find((name) => name.startsWith(`${build}.generated`));
  if (file === undefined) throw new Error(`there is no chunk of ${build}`);
  return join(client, "assets", file);
}

const limit = (name, path, bytes) => ({ name, path, limit: `${bytes} B`, gzip: true });

export default [
  limit("embedLoaderGzip", join(client, "embed.js"), 5 * 1024),
  // A browser loads the build with multiply-add or the one without, whose bytes are fewer by some; the larger is counted.
  limit(
    "beforeFirstStepGzip",
    scriptsOf("index.html").filter((path) => path !== kernels("kernels")),
    120 * 1024,
  ),
  limit("statusPageGzip", scriptsOf("status.html"), 60 * 1024),
  limit("operatorPageGzip", scriptsOf("operator.html"), 60 * 1024),
  limit("kernelsGzip", kernels("kernels"), 12 * 1024),
  limit("kernelsFmaGzip", kernels("kernels-fma"), 12 * 1024),
];
