// The rooms and who may enter them (docs/ARCHITECTURE.md). `npm run directions` fails on any other import.
const room = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const test = "\\.test\\.tsx?$";

module.exports = {
  forbidden: [
    room("no-cycles", "A cycle hides which file is the cause.", {}, { circular: true }),
    room(
      "protocol-imports-nothing",
      "Both sides must agree on protocol/, so it stands alone: no package, no Node, no other room.",
      { path: "^protocol/", pathNot: test },
      { pathNot: "^protocol/" },
    ),
    room(
      "model-stands-alone",
      "The network knows no transport and no storage.",
      { path: "^model/", pathNot: test },
      { path: "^(client|server|bin|test|bench)/" },
    ),
    room(
      "model-takes-protocol-types-only",
      "A type costs nothing at run time; code would tie the model to the wire.",
      { path: "^model/", pathNot: test },
      { path: "^protocol/", dependencyTypesNot: ["type-only"] },
    ),
    room("client-not-server", "They meet in protocol/.", { path: "^client/" }, { path: "^(server|bin)/" }),
    room("server-not-client", "They meet in protocol/.", { path: "^server/" }, { path: "^(client|bin)/" }),
    room(
      "pure-core",
      "Rounds and merge get clock, randomness and I/O passed in, so that a journal replays to the same bytes.",
      {
        path: "^server/(coordinator|merge)/",
        pathNot: `${test}|merge/merger|merge/merge-(thread|worker|messages|failures)`,
      },
      { path: "^server/(store|http|evaluate|corpus|run|app|cli)\\b" },
    ),
    room(
      "pure-core-no-node",
      "No clock, file or socket enters by the runtime's door either.",
      {
        path: "^server/(coordinator|merge)/",
        pathNot: `${test}|merge/merger|merge/merge-(thread|worker|messages|failures)`,
      },
      { dependencyTypes: ["core", "npm"] },
    ),
    room(
      "nothing-imports-tests",
      "Tests and benches look at the product; the product does not know them.",
      { path: "^(protocol|model|client|server|bin)/", pathNot: test },
      { path: "^(test|bench)/" },
    ),
    room(
      "independent-imports-nothing",
      "The second implementation is written from docs/PROTOCOL.md: what it shared with the product would prove nothing.",
      { path: "^test/independent/" },
      { pathNot: "^test/independent/", dependencyTypesNot: ["core"] },
    ),
    room(
      "no-orphans",
      "Delete what nothing uses.",
      { orphan: true, path: "^(protocol|model|client|server)/", pathNot: `${test}|\\.d\\.ts$` },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "model/engine/wasm/assembly" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".tsx", ".js"],
      conditionNames: ["import", "node", "default", "types"],
      exportsFields: ["exports"],
    },
  },
};
