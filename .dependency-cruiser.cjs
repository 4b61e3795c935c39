// The rooms and who may enter them (docs/ARCHITECTURE.md). `npm run directions` fails on any other import.
const room = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const test = "\\.test\\.tsx?$";

/** server/'s folders, from the top floor to the ground. A folder imports floors below its own, and no other. */
const SERVER_FLOORS = [
  ["cli"],
  ["app"],
  ["http"],
  ["setup"],
  ["operator", "verify"],
  ["run"],
  ["coordinator", "evaluate", "peers"],
  ["trust", "merge", "net"],
  ["export", "data-dir"],
  ["corpus", "store"],
  ["lib"],
];

/** One rule a folder: neither a floor above nor a neighbour. The order is total, so that it holds through others too. */
const floors = (root, order) =>
  order.flatMap((floor, height) =>
    floor.map((folder) => {
      const closed = order
        .slice(0, height + 1)
        .flat()
        .filter((other) => other !== folder);
      return room(
        `${root}-floors`,
        `${folder} imports only the floors below it.`,
        { path: `^${root}/${folder}/`, pathNot: test },
        { path: `^${root}/(${closed.join("|") || "-"})/` },
      );
    }),
  );
/** Every file lies in a folder of the list, or a new folder would be outside the order. */
const onAFloor = (root, order) =>
  room(
    `${root}-floors`,
    `Every file of ${root}/ lies in a folder that has its floor.`,
    { path: `^${root}/`, pathNot: `^${root}/(${order.flat().join("|")})/|${test}` },
    {},
  );
const PURE = {
  path: "^server/(coordinator|merge|trust)/",
  pathNot: `${test}|merge/merger|merge/merge-(thread|worker|messages|failures)`,
};

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
      "Coordinator, trust and merge get clock, randomness and I/O passed in, so that a journal replays to the same bytes.",
      PURE,
      { path: "^server/(store|corpus|net|export|data-dir|evaluate|peers)/" },
    ),
    room("pure-core-no-node", "No clock, file or socket enters by the runtime's door either.", PURE, {
      dependencyTypes: ["core", "npm"],
    }),
    ...floors("server", SERVER_FLOORS),
    onAFloor("server", SERVER_FLOORS),
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
