/**
 * The kernels that hardware gets, counted, and compiled by a GPU vendor's own compiler without the GPU.
 * `npm run bench -- kernels [--json] [--short] [--only SHAPE]…`; `--short` compiles the presets only.
 * Registers, spills and instructions are the compiler's words; workgroups, dispatches and FLOP are counted; milliseconds
 * are estimates for an adapter of 2 TFLOP/s, within a factor of some four. Where a compiler cannot be had, a line says so.
 */
import { join } from "node:path";
import { shaderOf } from "../model/engine/webgpu/kernels/kernel.ts";
import type { Shader } from "./kernels/compile.ts";
import { type Counts, countsOf, kernelsOf, workgroupsOf } from "./kernels/counts.ts";
import { compileWithRadv, prepareRadv, type Statistics } from "./kernels/radv.ts";
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

interface Row extends Omit<Statistics, "loop"> {
  readonly shape: ShapeName;
  readonly kernel: string;
  readonly target: "rdna2";
  /** Dispatches of it in a step, and workgroups of the first. */
  readonly times: number;
  readonly workgroups: number;
  /** Instructions in the inner loop for {@link TILE} multiply-adds; null where there is no such loop. */
  readonly loop: number | null;
}

/** A shape's kernels, each code once. */
function distinctOf(shape: ShapeName) {
  const byCode = Map.groupBy(kernelsOf(SHAPES[shape], hardware), shaderOf);
  for (const [code, alike] of Map.groupBy(kernelsOf(SHAPES[shape], without), shaderOf))
    if (!byCode.has(code)) byCode.set(code, alike);
  return [...byCode].map(([code, alike], i) => ({ label: `${shape} ${i} ${alike[0]!.name}`, code, alike }));
}

function rowsOf(folder: string): Row[] {
  return names.flatMap((shape) => {
    process.stderr.write(`${shape}: compiling for RDNA2…\n`);
    const distinct = distinctOf(shape);
    const shaders: Shader[] = distinct.map(({ label, code }) => ({ label, code }));
    const found = compileWithRadv(folder, shaders);
    return distinct.map(({ label, alike }): Row => {
      const statistics = found.get(label);
      if (!statistics) throw new Error(`RADV says nothing of ${label}`);
      const { loop, ...rest } = statistics;
      const [first] = alike;
      const perTile = loop.multiplyAdds > 0 ? (loop.instructions * TILE) / loop.multiplyAdds : null;
      return {
        shape,
        kernel: `${first!.name}${first!.unit === 1 ? " (scalar)" : ""}`,
        target: "rdna2",
        times: alike.length,
        workgroups: workgroupsOf(first!),
        ...rest,
        loop: perTile === null ? null : Math.round(perTile),
      };
    });
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
  const columns = [
    row.times,
    row.workgroups,
    row.registers,
    row.spills,
    row.scratch,
    row.instructions,
    row.occupancy,
  ];
  const cells = columns.map((value) => String(value).padStart(9));
  return `${row.kernel.padEnd(36)}${cells.join("")}${String(row.loop ?? "–").padStart(9)}`;
}

const counts = new Map(SHAPE_NAMES.map((name) => [name, countsOf(kernelsOf(SHAPES[name], hardware))]));
for (const [name, of] of counts) console.log(countLine(name, of));

const folder = join(import.meta.dirname, "../node_modules/.cache/bench-kernels");
const missing = prepareRadv(folder);
const rows = missing === undefined ? rowsOf(folder) : [];
if (missing !== undefined) console.log(`\nRDNA2: not compiled, ${missing}`);
console.log("Intel: not compiled, since no package has the part of Mesa that stands for its hardware");
for (const name of names) {
  const heads = ["times", "groups", "VGPRs", "spills", "scratch", "instr.", "waves", `per ${TILE}`];
  const some = rows.filter(({ shape }) => shape === name);
  if (some.length === 0) continue;
  const title = `${name}, RDNA2`.padEnd(36);
  console.log(`\n${title}${heads.map((head) => head.padStart(9)).join("")}\n${some.map(rowLine).join("\n")}`);
}

const shared = rows.filter(({ kernel, loop }) => kernel.endsWith("-shared") && loop !== null);
const most = (values: readonly number[]) => (values.length > 0 ? Math.max(...values) : null);
if (flags.json)
  console.log(
    JSON.stringify({
      rows,
      counts: Object.fromEntries(counts),
      spillsMax: { rdna2: most(rows.map(({ spills }) => spills)), xe8: null, xe16: null },
      gemmInstructions: most(shared.map(({ loop }) => loop!)),
      leastWorkgroups: counts.get("tiny")!.leastWorkgroups,
      scalarFlopShare: counts.get("GPT-2 small")!.scalarShare,
      longestSubmitMs: counts.get("large")!.submitMs,
      dispatches: counts.get("tiny")!.dispatches,
    }),
  );
