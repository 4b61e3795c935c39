import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Test files that take longest on two processors, longest first: half a minute and more, and a quarter of one without a browser. */
const LONGEST = [
  ...[
    "engine-products",
    "reverse-proxy",
    "engine",
    "engine-muon",
    "setup-page",
    "back-forward",
    "bench-page",
    "browsers",
    "silence",
    "reference",
    "engine-limits",
    "engine-ops",
    "pages-look",
    "run-states",
    "pages",
    "pages-languages",
  ].map((name) => `test/browser/${name}.test.ts`),
  ...["package", "kernels-compiled"].map((name) => `test/${name}.test.ts`),
  ...["nats-replicas", "nats-store"].map((name) => `server/store/${name}.test.ts`),
  ...["soak", "crash", "raw-sockets", "independent", "workers", "bench-flags", "kill", "extraction"].map(
    (name) => `test/${name}.test.ts`,
  ),
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
