import { defineConfig } from "vite";
import { LOBBY_PAGES, pagesConfig } from "./vite.config.ts";

/**
 * The pages of a server of several runs, and a person's. Apart, since what they share with a run's pages would be cut into more and smaller
 * files, of which a visitor of a run has more to load. Runs after vite.config.ts, into the same folder.
 */
export default defineConfig(
  pagesConfig((name) => LOBBY_PAGES.includes(name), { emptyOutDir: false, plugins: [] }),
);
