import { join } from "node:path";
import { defineConfig } from "vite";

/**
 * The loader that other sites name in a script tag: one classic script without imports, at an address that
 * never changes. Runs after vite.config.ts, into the same folder.
 */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: join(import.meta.dirname, "dist/client"),
    emptyOutDir: false,
    // Host pages are read by older browsers than can train: there the loader must still parse, and stay away.
    target: "es2020",
    lib: {
      entry: join(import.meta.dirname, "client/embed/embed.ts"),
      formats: ["iife"],
      name: "murmuration",
      fileName: () => "embed.js",
    },
  },
});
