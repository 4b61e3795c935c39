import { expect, test } from "vitest";
import { accessOf } from "../bench/kernels/access.ts";
import { countsOf, kernelsOf, paddingOf } from "../bench/kernels/counts.ts";
import { saidOf } from "../bench/kernels/driver.ts";
import { intelStatistics } from "../bench/kernels/intel.ts";
import { innerLoop } from "../bench/kernels/loops.ts";
import { radvStatistics } from "../bench/kernels/radv.ts";
import { SHAPES } from "../bench/kernels/shapes.ts";
import { PRESETS } from "../client/console/setup/order.ts";

/** What RADV 22.3 says of a kernel, shortened: a loop of three instructions in one of seven. */
const ASSEMBLY = `disasm:
BB0:
	s_mov_b32 s0, s3                                            ; be800303
BB1:
	v_mov_b32_e32 v1, v2                                        ; 7e020302
	s_cbranch_scc0 BB4                                          ; bf84000a
BB2:
	v_fmac_f32_e32 v1, v2, v3                                   ; 56020702
	v_fma_f32 v1, v2, v3, v4                                    ; d54b0001 04120702
	s_cbranch_scc1 BB2                                          ; bf85fffc
BB3:
	v_add_f32_e32 v1, v2, v3                                    ; 06020702
	s_branch BB1                                                ; bf82fff8
BB4:
	s_endpgm                                                    ; bf810000
`;
const STATISTICS = `Compute Shader:
*** SHADER STATS ***
SGPRs: 128
VGPRs: 40
Spilled SGPRs: 0
Spilled VGPRs: 7
LDS size: 8192
Scratch size: 1024
Subgroups per SIMD: 24
Instructions: 513
`;
const part = (label: string, text: string, end = "") => `\n=== begin ${label}\n${text}\n=== end${end}\n`;

test("the bench's models are those that the setup page offers", () => {
  const offered = PRESETS.map(({ tokenBudget: _, ...shape }) => shape);
  expect([SHAPES.tiny, SHAPES.small, SHAPES.medium, SHAPES.large]).toEqual(offered);
});

test("of loops with as many multiply-adds the inner one counts", () => {
  expect(innerLoop(ASSEMBLY)).toEqual({ instructions: 3, multiplyAdds: 2 });
  expect(innerLoop("disasm:\nBB0:\n\tv_fma_f32 v1, v2, v3, v4\n")).toEqual({
    instructions: 0,
    multiplyAdds: 0,
  });
});

test("a compiler's words are read kernel by kernel, and none that it left out or refused passes for 0", () => {
  const said = saidOf(part("first", STATISTICS) + part("second", ASSEMBLY + STATISTICS));
  expect([...said.keys()]).toEqual(["first", "second"]);
  expect(radvStatistics("second", said.get("second")!)).toEqual({
    registers: 40,
    spills: 7,
    scratch: 1024,
    instructions: 513,
    occupancy: 24,
    cycles: null,
    loop: { instructions: 3, multiplyAdds: 2 },
  });
  expect(() => radvStatistics("cut short", "VGPRs: 40\n")).toThrow("does not say Spilled VGPRs of cut short");
  expect(() => saidOf(part("wrong", "", ": no such type"))).toThrow("wrong was refused: no such type");
});

test("of what Intel's compiler tried, the last counts, which it takes", () => {
  const line = (lanes: number, spills: number) =>
    `SIMD${lanes} shader: 666 instructions. 2 loops. 45160 cycles. ${spills}:9 spills:fills, 61 sends, scheduled\n`;
  expect(intelStatistics("one", line(16, 12) + line(8, 3))).toMatchObject({
    instructions: 666,
    cycles: 45_160,
    spills: 3,
    registers: null,
  });
  expect(() => intelStatistics("silent", "")).toThrow("ANV says nothing of silent");
});

test("padding is what tiles reach over the edges of", () => {
  const hardware = { software: false, subgroups: true } as const;
  const even = { layers: 1, heads: 4, width: 1_024, context: 64, vocabulary: 4_096 };
  expect(paddingOf(even, hardware)).toBe(1);
  expect(paddingOf({ ...even, vocabulary: 4_096 + 32 }, hardware)).toBeGreaterThan(1);
  expect(paddingOf(SHAPES.tiny, hardware)).toBeLessThan(1.2);
});

test("what is counted is what the engine would do", () => {
  const counts = countsOf(kernelsOf(SHAPES.tiny, { software: false, subgroups: true }));
  expect(counts.dispatches).toBe(15 * SHAPES.tiny.layers + 11);
  expect(counts.scalarShare).toBe(0);
  expect(counts.leastWorkgroups).toBeGreaterThanOrEqual(32);
  const gpt2 = countsOf(
    kernelsOf({ ...SHAPES["GPT-2 small"], layers: 1 }, { software: false, subgroups: true }),
  );
  expect(gpt2.scalarShare).toBe(0); // though its vocabulary is odd
  expect(gpt2.submitMs).toBeLessThan(31);
  expect(gpt2.wholeMs).toBeGreaterThan(2_000);
});

test("sectors and bank conflicts are counted for products, attention and the norm's columns", () => {
  const hardware = { software: false, subgroups: true } as const;
  const access = accessOf(SHAPES.tiny, hardware);
  expect(access("gemm-NN-shared")).toEqual({ fetched: 1, conflicts: expect.closeTo(28 / 17, 5) });
  expect(access("layernorm-backward")).toEqual({ fetched: 1, conflicts: null });
  expect(access("attention-quad-lanes")).toEqual({ fetched: 1, conflicts: null });
  expect(access("adamw")).toBeUndefined();
  // 50,257 tokens make rows of 50,260 values, every other of which begins in the middle of a sector
  expect(accessOf({ ...SHAPES["GPT-2 small"], layers: 1 }, hardware)("gemm-NN-shared")!.fetched).toBe(1.125);
});
