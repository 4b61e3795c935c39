// Which folder may import which (docs/ARCHITECTURE.md). `npm run imports` fails on any other import.
const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const test = "\\.test\\.tsx?$";

/** server/'s folders, from the top floor to the ground. A folder imports floors below its own, and no other. */
const SERVER_FLOORS = [
  ["cli"],
  ["app"],
  ["http"],
  ["setup"],
  ["operator", "verify", "mirror", "workers"],
  ["run"],
  ["coordinator", "evaluate", "peers"],
  ["trust", "merge", "net"],
  ["export", "data-dir"],
  ["corpus", "store"],
  ["lib"],
];

/** The same of client/. A name alone is for the files that lie in the folder itself, where folders in it are listed. */
const CLIENT_FLOORS = [
  [
    "cli",
    "embed/frame",
    "console/operator",
    "console/status",
    "learn",
    "playground",
    "volunteer/person",
    "benchmark",
    "lobby",
    "build",
  ],
  ["console/setup", "console/embedding", "volunteer/page"],
  ["console", "volunteer/anywhere", "volunteer/inside", "volunteer/people", "volunteer/proof"],
  ["volunteer/session", "writer"],
  ["volunteer"],
  ["volunteer/strings"],
  ["ui"],
  ["worker"],
  ["worker/device"],
  ["p2p"],
  ["cache", "transport", "embed"],
  ["language"],
];
/** And of model/. */
const MODEL_FLOORS = [
  ["audit", "export", "decode", "reference", "engine/wasm", "engine/webgpu"],
  ["engine/webgpu/kernels"],
  ["engine", "data"],
  ["contract"],
  ["lib"],
];

/** Matches the files of a folder below `root`: only its own, where the order has a floor for a folder in it. */
const filesOf = (folder, order) =>
  order.flat().some((other) => other.startsWith(`${folder}/`)) ? `${folder}/[^/]+$` : `${folder}/`;
/** One rule a folder: neither a floor above nor a neighbour. The order is total, so that it holds through others too. */
const floors = (root, order) =>
  order.flatMap((floor, height) =>
    floor.map((folder) => {
      const closed = order
        .slice(0, height + 1)
        .flat()
        .filter((other) => other !== folder)
        .map((other) => filesOf(other, order));
      return rule(
        `${root}-floors`,
        `${folder} imports only the floors below it.`,
        { path: `^${root}/${filesOf(folder, order)}`, pathNot: test },
        { path: `^${root}/(${closed.join("|") || "-"})` },
      );
    }),
  );
/** Every file lies in a folder of the list: a new folder would otherwise be outside the order. */
const onAFloor = (root, order) => {
  const listed = order.flat().map((folder) => filesOf(folder, order));
  return rule(
    `${root}-floors`,
    `Every file of ${root}/ lies in a folder that has its floor.`,
    { path: `^${root}/`, pathNot: `^${root}/(${listed.join("|")})|${test}` },
    {},
  );
};
const PURE = {
  path: "^server/(coordinator|merge|trust)/",
  pathNot: `${test}|merge/merger|merge/merge-(pool|line|batches|worker|messages|failures)`,
};

module.exports = {
  forbidden: [
    rule("no-cycles", "A cycle hides which file is the cause.", {}, { circular: true }),
    rule(
      "protocol-imports-nothing",
      "Both sides must agree on protocol/, so it stands alone: no package, no Node, no other folder.",
      { path: "^protocol/", pathNot: test },
      { pathNot: "^protocol/" },
    ),
    rule(
      "model-stands-alone",
      "The network knows no transport and no storage.",
      { path: "^model/", pathNot: test },
      { path: "^(client|server|bin|test|bench)/" },
    ),
    rule(
      "model-takes-protocol-types-only",
      "A type costs nothing at run time; code would tie the model to the wire.",
      { path: "^model/", pathNot: test },
      { path: "^protocol/", dependencyTypesNot: ["type-only"] },
    ),
    rule(
      "peers-by-one-port",
      "The round loop reads without p2p/: the Worker's port and the page's sharing are the two places that know it.",
      {
        path: "^client/",
        pathNot: `^client/(p2p/|worker/(peer-port|worker)\\.ts|volunteer/session/sharing\\.ts)|${test}`,
      },
      { path: "^client/p2p/" },
    ),
    rule(
      "cluster-on-demand",
      "Only --cluster loads NATS: everything else takes types of it, or imports it when it is asked for.",
      { path: "^server/", pathNot: `^server/store/nats-[a-z]+\\.ts$|${test}` },
      {
        path: "^server/store/nats-[a-z]+\\.ts$|@nats-io/",
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule(
      "one-language-at-a-time",
      "A page loads the strings of one language, when it knows which: only by a dynamic import, or as a type.",
      { path: "^client/", pathNot: `/strings/|${test}` },
      {
        path: "/strings/(en|de|fr|es|pt-BR|ja|zh-Hans)\\.ts$",
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule("client-not-server", "They meet in protocol/.", { path: "^client/" }, { path: "^(server|bin)/" }),
    rule("server-not-client", "They meet in protocol/.", { path: "^server/" }, { path: "^(client|bin)/" }),
    rule(
      "pure-core",
      "Coordinator, trust and merge get clock, randomness and I/O passed in, so that a journal replays to the same bytes.",
      PURE,
      { path: "^server/(store|corpus|net|export|data-dir|evaluate|peers)/" },
    ),
    rule("pure-core-no-node", "No clock, file or socket comes from the runtime either.", PURE, {
      dependencyTypes: ["core", "npm"],
    }),
    rule("pure-core-reaches-no-node", "Nor by way of a folder that the pure core may import.", PURE, {
      path: "^(node:|node_modules/|[a-z_]+$)",
      reachable: true,
    }),
    ...floors("client", CLIENT_FLOORS),
    onAFloor("client", CLIENT_FLOORS),
    ...floors("model", MODEL_FLOORS),
    onAFloor("model", MODEL_FLOORS),
    ...floors("server", SERVER_FLOORS),
    onAFloor("server", SERVER_FLOORS),
    rule(
      "nothing-imports-tests",
      "Tests and benches look at the product; the product does not know them.",
      { path: "^(protocol|model|client|server|bin)/", pathNot: test },
      { path: "^(test|bench)/" },
    ),
    rule(
      "independent-imports-nothing",
      "The second implementation is written from docs/PROTOCOL.md: what it shared with the product would prove nothing.",
      { path: "^test/independent/" },
      { pathNot: "^test/independent/", dependencyTypesNot: ["core"] },
    ),
    rule(
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
