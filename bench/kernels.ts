/**
 * The kernels that hardware gets, counted, and compiled by a GPU vendor's own compiler without the GPU.
 * `npm run bench -- kernels [--json] [--short] [--only SHAPE]…`; `--short` compiles the presets only, for one AMD and one Intel.
 * Registers, spills and instructions are the compiler's words; workgroups, dispatches and FLOP are counted; how lanes reach
 * memory is worked out from where kernels load and store (kernels/access.ts); milliseconds are estimates for an adapter of
 * 2 TFLOP/s, within a factor of some four. Where a compiler cannot be had, a line says so.
 */
import { join } from "node:path";
import { shaderOf } from "../model/engine/webgpu/kernels/kernel.ts";
import { accessOf } from "./kernels/access.ts";
import { type Counts, countsOf, kernelsOf, paddingOf, workgroupsOf } from "./kernels/counts.ts";
import { compile, type Driver, prepareDrivers, type Statistics } from "./kernels/driver.ts";
import { intel, intelStatistics, prepareIntel } from "./kernels/intel.ts";
import { RADV, radvStatistics } from "./kernels/radv.ts";
import { SHAPE_NAMES, SHAPES, type ShapeName } from "./kernels/shapes.ts";
import { benchFlags, namedOf } from "./lib/flags.ts";

const flags = benchFlags({
  short: { type: "boolean", default: false },
  only: { type: "string", multiple: true, default: [] as string[] },
});
const PRESETS = SHAPE_NAMES.slice(0, 4);
const only = namedOf("only", flags.only, SHAPE_NAMES);
const names = only.length > 0 ? only : flags.short ? PRESETS : SHAPE_NAMES;
/** What is counted; and a GPU without subgroups, some of whose kernels are others. */
const hardware = { software: false, subgroups: true } as const;
const without = { software: false, subgroups: false } as const;
/** Multiply-adds that instructions are told for: those of a k-tile of 16 with 4×4 an invocation. */
const TILE = 256;
/** Columns for a name. */
const NAME = 44;

type Target = "rdna2" | "xe16" | "xe8";

interface Row extends Omit<Statistics, "loop"> {
  readonly shape: ShapeName;
  readonly kernel: string;
  readonly target: Target;
  /** Dispatches of it in a step, and workgroups of the first. */
  readonly times: number;
  readonly workgroups: number;
  /** Instructions in the inner loop for {@link TILE} multiply-adds; null where there is no such loop. */
  readonly loop: number | null;
  /** {@link Access}; null of kernels that it is not worked out for. */
  readonly fetched: number | null;
  readonly conflicts: number | null;
}

/** A shape's kernels, each code once. */
function distinctOf(shape: ShapeName) {
  const byCode = Map.groupBy(kernelsOf(SHAPES[shape], hardware), shaderOf);
  for (const [code, alike] of Map.groupBy(kernelsOf(SHAPES[shape], without), shaderOf))
    if (!byCode.has(code)) byCode.set(code, alike);
  return [...byCode].map(([code, alike], i) => ({ label: `${shape} ${i} ${alike[0]!.name}`, code, alike }));
}

const folder = join(import.meta.dirname, "../node_modules/.cache/bench-kernels");
interface Compiler {
  readonly title: string;
  readonly driver: Driver;
  readonly read: (label: string, said: string) => Statistics;
}
const COMPILERS: Readonly<Record<Target, Compiler>> = {
  rdna2: { title: "RDNA2", driver: RADV, read: radvStatistics },
  xe16: { title: "Iris Xe, 16 lanes", driver: intel(folder, 16), read: intelStatistics },
  xe8: { title: "Iris Xe, 8 lanes", driver: intel(folder, 8), read: intelStatistics },
};

function rowsOf(shape: ShapeName, target: Target): Row[] {
  const { title, driver, read } = COMPILERS[target];
  process.stderr.write(`${shape}: compiling for ${title}…\n`);
  const distinct = distinctOf(shape);
  const shaders = distinct.map(({ label, alike }) => {
    const [kernel] = alike;
    return { label, code: shaderOf(target === "xe8" ? { ...kernel!, subgroupSize: 8 } : kernel!) };
  });
  const found = compile(folder, driver, shaders);
  const access = accessOf(SHAPES[shape], hardware);
  return distinct.map(({ label, alike }): Row => {
    const { loop, ...rest } = read(label, found.get(label) ?? "");
    const [first] = alike;
    const perTile = loop && loop.multiplyAdds > 0 ? (loop.instructions * TILE) / loop.multiplyAdds : null;
    return {
      shape,
      kernel: `${first!.name}${first!.unit === 1 ? " (scalar)" : ""}`,
      target,
      times: alike.length,
      workgroups: workgroupsOf(first!),
      ...rest,
      loop: perTile === null ? null : Math.round(perTile),
      ...{ fetched: null, conflicts: null, ...access(first!.name) },
    };
  });
}

function countLine(name: ShapeName, counts: Counts): string {
  const giga = (flops: number) => (flops / 1e9).toFixed(flops < 1e10 ? 2 : 0);
  return (
    `${name}: ${counts.dispatches} dispatches, ${giga(counts.flops)} GFLOP a step, ${giga(counts.longestDispatch)} in the longest dispatch, ` +
    `${(100 * counts.scalarShare).toFixed(0)}% in scalar code; products of ${counts.leastWorkgroups} workgroups and more; ` +
    `at 2 TFLOP/s ${counts.submits} submits of up to ${giga(counts.submitFlops)} GFLOP, about ${counts.submitMs.toFixed(0)} ms (in one: ${counts.wholeMs.toFixed(0)} ms)`
  );
}

function rowLine(row: Row): string {
  const { times, workgroups, registers, spills, scratch, instructions, occupancy, cycles, loop } = row;
  const memory = [row.fetched, row.conflicts].map((value) => value?.toFixed(2));
  const columns = [
    times,
    workgroups,
    registers,
    spills,
    scratch,
    instructions,
    occupancy,
    cycles,
    loop,
    ...memory,
  ];
  return `${row.kernel.padEnd(NAME)}${columns.map((value) => String(value ?? "–").padStart(9)).join("")}`;
}

const counts = new Map(
  SHAPE_NAMES.map((name) => {
    const shape = SHAPES[name];
    return [name, { ...countsOf(kernelsOf(shape, hardware)), padding: paddingOf(shape, hardware) }];
  }),
);
for (const [name, of] of counts)
  console.log(`${countLine(name, of)}; products multiply ${of.padding.toFixed(2)} times what they need`);

const missing = prepareDrivers(
  folder,
  Object.values(COMPILERS).map(({ driver }) => driver),
);
const missingIntel = missing ?? prepareIntel(folder);
if (missing !== undefined) console.log(`\nRDNA2: not compiled, ${missing}`);
if (missingIntel !== undefined) console.log(`\nIris Xe: not compiled, ${missingIntel}`);
const xe = missingIntel !== undefined ? [] : flags.short ? (["xe8"] as const) : (["xe16", "xe8"] as const);
const targets: readonly Target[] = missing === undefined ? ["rdna2", ...xe] : [];

const rows = names.flatMap((name) => targets.flatMap((target) => rowsOf(name, target)));
for (const [name, target] of names.flatMap((name) => targets.map((target) => [name, target] as const))) {
  const heads = [
    "times",
    "groups",
    "VGPRs",
    "spills",
    "scratch",
    "instr.",
    "waves",
    "cycles",
    `per ${TILE}`,
    "fetched",
    "banks",
  ];
  const title = `${name}, ${COMPILERS[target].title}`.padEnd(NAME);
  const some = rows.filter((row) => row.shape === name && row.target === target);
  console.log(`\n${title}${heads.map((head) => head.padStart(9)).join("")}\n${some.map(rowLine).join("\n")}`);
}

const shared = rows.filter(({ kernel, loop }) => kernel.endsWith("-shared") && loop !== null);
const most = (values: readonly number[]) => (values.length > 0 ? Math.max(...values) : null);
const spillsOf = (of: Target) => most(rows.filter(({ target }) => target === of).map(({ spills }) => spills));
if (flags.json)
  console.log(
    JSON.stringify({
      rows,
      counts: Object.fromEntries(counts),
      spillsMax: { rdna2: spillsOf("rdna2"), xe8: spillsOf("xe8"), xe16: spillsOf("xe16") },
      gemmInstructions: most(shared.map(({ loop }) => loop!)),
      leastWorkgroups: counts.get("tiny")!.leastWorkgroups,
      scalarFlopShare: counts.get("GPT-2 small")!.scalarShare,
      longestSubmitMs: counts.get("large")!.submitMs,
      dispatches: counts.get("tiny")!.dispatches,
    }),
  );
