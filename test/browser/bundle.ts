import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "vite";

/** A page on 127.0.0.1 (a secure context, so WebGPU is there) that runs one bundled module. */
export interface ServedModule {
  readonly url: string;
  close(): Promise<void>;
}

/** The page that loads the bundled module, as `/entry.js`. */
export const MODULE_PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="/entry.js"></script>`;

/** Bundles the TypeScript module at the path `entry` with all it imports: what is served under which path. */
export async function bundleModule(entry: string): Promise<Map<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>();
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "esnext",
      modulePreload: false,
      rolldownOptions: { input: entry, output: { entryFileNames: "entry.js" } },
    },
  });
  for (const bundle of Array.isArray(result) ? result : [result]) {
    if (!("output" in bundle)) throw new Error("vite began to watch");
    for (const file of bundle.output)
      files.set(`/${file.fileName}`, file.type === "chunk" ? file.code : file.source);
  }
  return files;
}

/** Bundles a module and serves a page that loads it. */
export async function serveModule(entry: string): Promise<ServedModule> {
  const files = await bundleModule(entry);
  const server = createServer(({ url = "/" }, response) => {
    const file = url === "/" ? MODULE_PAGE : files.get(url);
    const type = url === "/" ? "text/html" : url.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    response.writeHead(file === undefined ? 404 : 200, { "content-type": type });
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
