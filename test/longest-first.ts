import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Test files that take longest on two processors, longest first: a third of a minute and more, and a sixth of one without
 * a browser. What waits, for servers or for the product's own limits, stands beside what computes.
 */
const LONGEST = [
  ...[
    "setup-page",
    "engine-products",
    "silence",
    "engine",
    "browsers",
    "engine-muon",
    "reverse-proxy",
    "bench-page",
    "back-forward",
    "within",
    "engine-limits",
    "pages-languages",
    "run-states",
    "reference",
    "cluster",
    "probe",
    "pages-look",
    "insight",
    "engine-ops",
    "sites",
    "endurance",
    "readings",
    "pages",
    "audits",
    "extraction",
    "embed-tags",
    "box-look",
    "steering",
    "parts",
    "states",
  ].map((name) => `test/browser/${name}.test.ts`),
  "test/package.test.ts",
  "server/store/nats-store.test.ts",
  "test/kernels-compiled.test.ts",
  "server/store/nats-replicas.test.ts",
  ...["soak", "workers", "crash", "raw-sockets", "independent", "closed-output", "attack", "bench-flags"].map(
    (name) => `test/${name}.test.ts`,
  ),
  "model/engine/wasm/trainer.test.ts",
  ...["slow-senders", "kill", "fuzz", "faults", "extraction"].map((name) => `test/${name}.test.ts`),
];

/**
 * Vitest starts with what took longest the last time, and in a fresh clone with the largest files: there a long run in
 * a short file comes last, and leaves processors idle. Here the known ones come first, within their group.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return at === -1 ? LONGEST.length : at;
    };
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return (await super.sort(files)).toSorted((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}
