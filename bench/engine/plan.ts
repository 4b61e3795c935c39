import type { ConfigName } from "../../client/benchmark/workload.ts";
import type { Contestant, Device, Job, Runtime } from "./job.ts";

/** Contestants that are compared with each other: one config on one device in one runtime. */
export interface Race {
  readonly config: ConfigName;
  readonly device: Device;
  readonly runtime: Runtime;
  /** Turns in the order they are taken. Twice around, the second time backwards, for whoever can be waited for. */
  readonly jobs: readonly Job[];
}

/** `config/device`, as in `--only`. */
const GROUPS: readonly (readonly [ConfigName, Device, readonly Runtime[]])[] = [
  ["small", "wasm", ["node", "chromium"]],
  ["small", "webgpu", ["chromium"]],
  ["anchor", "wasm", ["node", "chromium"]],
  ["anchor", "webgpu", ["chromium"]],
  ["large", "wasm", ["node", "chromium"]],
];

export const GROUP_NAMES = GROUPS.map(([config, device]) => `${config}/${device}`);

/** The races of the named groups; all when none is named. */
export function planRaces(only: readonly string[], short: boolean): Race[] {
  return GROUPS.filter(
    ([config, device]) => only.length === 0 || only.includes(`${config}/${device}`),
  ).flatMap(([config, device, runtimes]) =>
    runtimes.map((runtime) => ({ config, device, runtime, jobs: jobsOf(config, device, runtime, short) })),
  );
}

/** A step of `small` takes some milliseconds: browsers still compile their best code for the kernels meanwhile. */
const FULL = {
  tiny: { warmups: 5, steps: 15 },
  small: { warmups: 60, steps: 30 },
  anchor: { warmups: 5, steps: 15 },
  large: { warmups: 5, steps: 15 },
} as const satisfies Record<ConfigName, { warmups: number; steps: number }>;

function jobsOf(config: ConfigName, device: Device, runtime: Runtime, short: boolean): Job[] {
  const counts = short ? { warmups: 3, steps: 5 } : FULL[config];
  const job = (contestant: Contestant, threads = 1): Job => ({
    ...{ config, device, contestant, threads, ...counts },
    ...(contestant === "tfjs" && stockSteps(config, device)),
  });
  const ours = device === "wasm" ? [job("ours", 1), job("ours", 2)] : [job("ours")];
  const quick = [...ours, job("jax-js")];
  // Stock tfjs' WASM binaries are separate files that a page would have to serve: it runs in Node alone.
  const slow = device === "webgpu" || runtime === "node" ? [job("tfjs")] : [];
  return short ? [...quick, ...slow] : [...quick, ...slow, ...quick.toReversed()];
}

/** Where a step of stock tfjs takes up to half a minute it gets fewer; the table says how many. */
function stockSteps(config: ConfigName, device: Device): { warmups: number; steps: number } | undefined {
  if (device === "webgpu") return config === "anchor" ? { warmups: 1, steps: 3 } : { warmups: 3, steps: 5 };
  return config === "large" ? { warmups: 2, steps: 5 } : undefined;
}
