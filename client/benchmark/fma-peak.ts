/**
 * How fast this thread can multiply and add at all: a loop of twelve independent `f32x4.relaxed_madd` and
 * nothing else, enough to keep two fused units busy through their latency. Written as bytes, so that the bench
 * needs no compiler.
 */
const SUMS = 12;
/** Floating-point operations of a turn: a multiply-add is 4 lanes of 2. */
const FLOP_A_TURN = SUMS * 4 * 2;
/** Turns of a measurement: about 3 ms, well above the resolution of a browser's clock. */
const TURNS = 2_000_000;

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b] as const;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const SPLAT = [0xfd, 0x13];
const ADD = [0xfd, 0xe4, 0x01];
const MADD = [0xfd, 0x85, 0x02];
const LANE_0 = [0xfd, 0x1f, 0];
const LOOP = [0x03, 0x40];
const END = 0x0b;

/** LEB128 of a length below 2¹⁴. */
const size = (length: number) => (length < 128 ? [length] : [(length & 127) | 128, length >> 7]);
const sized = (bytes: readonly number[]) => [...size(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)];

/** Exports `f(turns: i32, x: f32) → f32`; locals 2 and 3 are the factors, the sums come after. */
function assemble(): Uint8Array<ArrayBuffer> {
  const sums = Array.from({ length: SUMS }, (_, i) => 4 + i);
  const code = [
    ...[1, SUMS + 2, V128], // locals beside the parameters
    ...[2, 3].flatMap((factor) => [...get(1), ...SPLAT, ...set(factor)]),
    ...LOOP,
    ...sums.flatMap((sum) => [...get(2), ...get(3), ...get(sum), ...MADD, ...set(sum)]),
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0], // turns − 1, kept
    ...[0x0d, 0, END], // again unless it is zero
    ...get(sums[0]!),
    ...sums.slice(1).flatMap((sum) => [...get(sum), ...ADD]), // a sum that nobody reads would not be computed
    ...[...LANE_0, END],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, I32, F32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), // "f"
    ...section(10, [1, ...sized(code)]),
  ]);
}

/** Returns a function that measures once, in FLOP/s, or null where the engine has no relaxed SIMD. */
export async function openPeak(): Promise<(() => number) | null> {
  const binary = assemble();
  if (!WebAssembly.validate(binary)) return null;
  const { instance } = await WebAssembly.instantiate(binary);
  const { f } = instance.exports;
  if (typeof f !== "function") throw new Error("the peak kernel exports nothing");
  const measure = () => {
    const before = performance.now();
    f(TURNS, 1e-9);
    return (TURNS * FLOP_A_TURN) / ((performance.now() - before) / 1000);
  };
  for (let i = 0; i < 10; i++) measure(); // until the optimising compiler has it
  return measure;
}
