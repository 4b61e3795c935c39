import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Test files that take longest on two processors, longest first; half a minute and more. */
const LONGEST = [
  ...[
    "engine-products",
    "reverse-proxy",
    "engine-ops",
    "engine",
    "browsers",
    "silence",
    "reference",
    "pages-look",
    "pages-languages",
  ].map((name) => `test/browser/${name}.test.ts`),
  ...["extraction", "soak", "kill-sweep", "crash", "raw-sockets", "package"].map(
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
