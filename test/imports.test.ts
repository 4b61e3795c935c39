import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** `npm run imports` checks which folder imports which; each of its rules is shown to find a planted import. */
const root = join(import.meta.dirname, "..");
let tree: string;
vi.setConfig({ testTimeout: 120_000 }); // each starts a compiler in a process of its own

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "murmuration-imports-"));
  copyFileSync(join(root, "tsconfig.json"), join(tree, "tsconfig.json"));
});
afterEach(() => rmSync(tree, { recursive: true }));

/** What a tree of `files` breaks, as "rule: file", without unused files. */
function broken(files: Record<string, string>): string[] {
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), source);
  }
  const cli = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const config = join(root, ".dependency-cruiser.cjs");
  const folders = [...new Set(Object.keys(files).map((path) => path.split("/")[0]!))];
  const { stdout } = spawnSync(
    process.execPath,
    [cli, "--config", config, "--output-type", "json", ...folders],
    {
      cwd: tree,
      encoding: "utf8",
    },
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  return summary.violations
    .filter(({ rule }) => rule.name !== "no-orphans")
    .map(({ rule, from }) => `${rule.name}: ${from}`)
    .sort();
}

const thing = "export const thing = 1;\n";
const takes = (from: string) => `import { thing } from "${from}";\nexport const other = thing;\n`;
const asks = (module: string) => `import thing from "${module}";\nexport const other = thing;\n`;

it("allows the imports that the order has", () => {
  expect(
    broken({
      "protocol/a.ts": `export interface A { readonly a: 1 }\n${thing}`,
      "model/data/b.ts": `import type { A } from "../../protocol/a.ts";\nexport const b: A = { a: 1 };\n`,
      "client/ui/c.ts": takes("../../protocol/a.ts"),
      "client/worker/device/d.ts": thing,
      "client/worker/e.ts": takes("./device/d.ts"),
      "server/coordinator/d.ts": takes("../../protocol/a.ts"),
      "server/run/e.ts": `import { other } from "../coordinator/d.ts";\nexport const e = other;\n`,
      "server/store/nats-a.ts": asks("@nats-io/jetstream"),
      "server/store/asks.ts": `export const asked = () => import("./nats-a.ts");\n`,
    }),
  ).toEqual([]);
});

it("finds every import that breaks a rule, and where", () => {
  expect(
    broken({
      "protocol/fine.ts": thing,
      "protocol/takes-model.ts": takes("../model/lib/fine.ts"),
      "protocol/takes-node.ts": asks("node:path"),
      "model/lib/fine.ts": thing,
      "model/lib/takes-client.ts": takes("../../client/ui/fine.ts"),
      "model/lib/takes-protocol-code.ts": takes("../../protocol/fine.ts"),
      "model/contract/takes-engine.ts": takes("../engine/fine.ts"),
      "model/engine/fine.ts": thing,
      "client/ui/fine.ts": thing,
      "client/transport/takes-ui.ts": takes("../ui/fine.ts"),
      "client/learn/takes-neighbour.ts": takes("../playground/fine.ts"),
      "client/playground/fine.ts": thing,
      "client/worker/device/takes-worker.ts": takes("../fine.ts"),
      "client/worker/fine.ts": thing,
      "client/worker/takes-peers.ts": takes("../p2p/fine.ts"),
      "client/p2p/fine.ts": thing,
      "client/new-folder/takes-ui.ts": takes("../ui/fine.ts"),
      "client/ui/takes-server.ts": takes("../../server/lib/fine.ts"),
      "server/lib/fine.ts": thing,
      "server/lib/takes-client.ts": takes("../../client/ui/fine.ts"),
      "server/lib/takes-test.ts": takes("../../test/fine.ts"),
      "server/store/fine.ts": thing,
      "server/store/nats-a.ts": thing,
      "server/store/takes-cluster.ts": takes("./nats-a.ts"),
      "server/lib/takes-nats.ts": asks("@nats-io/jetstream"),
      "server/merge/takes-store.ts": takes("../store/fine.ts"),
      "server/coordinator/takes-clock.ts": asks("node:perf_hooks"),
      "server/lib/takes-node.ts": asks("node:crypto"),
      "server/trust/reaches-node.ts": `import { other } from "../lib/takes-node.ts";\nexport const reached = other;\n`,
      "server/lib/cycle-a.ts": takes("./cycle-b.ts"),
      "server/lib/cycle-b.ts": takes("./cycle-a.ts"),
      "server/lib/takes-run.ts": takes("../run/fine.ts"),
      "server/run/fine.ts": thing,
      "server/evaluate/takes-neighbour.ts": takes("../coordinator/fine.ts"),
      "server/coordinator/fine.ts": thing,
      "server/new-folder/takes-lib.ts": takes("../lib/fine.ts"),
      "test/fine.ts": thing,
      "test/independent/takes-node.js": asks("node:crypto"),
      "test/independent/takes-protocol.js": takes("../../protocol/fine.ts"),
    }),
  ).toEqual([
    "client-floors: client/learn/takes-neighbour.ts",
    "client-floors: client/new-folder/takes-ui.ts",
    "client-floors: client/transport/takes-ui.ts",
    "client-floors: client/worker/device/takes-worker.ts",
    "client-not-server: client/ui/takes-server.ts",
    "cluster-on-demand: server/lib/takes-nats.ts",
    "cluster-on-demand: server/store/takes-cluster.ts",
    "independent-imports-nothing: test/independent/takes-protocol.js",
    "model-floors: model/contract/takes-engine.ts",
    "model-stands-alone: model/lib/takes-client.ts",
    "model-takes-protocol-types-only: model/lib/takes-protocol-code.ts",
    "no-cycles: server/lib/cycle-a.ts",
    "nothing-imports-tests: server/lib/takes-test.ts",
    "peers-by-one-port: client/worker/takes-peers.ts",
    "protocol-imports-nothing: protocol/takes-model.ts",
    "protocol-imports-nothing: protocol/takes-node.ts",
    "pure-core-no-node: server/coordinator/takes-clock.ts",
    "pure-core-reaches-no-node: server/coordinator/takes-clock.ts",
    "pure-core-reaches-no-node: server/trust/reaches-node.ts",
    "pure-core: server/merge/takes-store.ts",
    "server-floors: server/evaluate/takes-neighbour.ts",
    "server-floors: server/lib/takes-run.ts",
    "server-floors: server/new-folder/takes-lib.ts",
    "server-not-client: server/lib/takes-client.ts",
  ]);
});
