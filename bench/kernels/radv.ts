import type { Driver, Statistics } from "./driver.ts";
import { innerLoop } from "./loops.ts";

/** AMD's RDNA2, as Mesa's RADV compiles for it without one being there. */
export const RADV: Driver = {
  name: "RADV",
  library: "usr/lib/x86_64-linux-gnu/libvulkan_radeon.so",
  environment: { RADV_FORCE_FAMILY: "navi21", RADV_DEBUG: "shaders,shaderstats,nocache" },
};

/** What RADV printed of a shader. */
export function radvStatistics(label: string, said: string): Statistics {
  const number = (name: string) => {
    const value = said.match(new RegExp(`^${name}: (\\d+)$`, "m"))?.[1];
    if (value === undefined) throw new Error(`RADV does not say ${name} of ${label}`);
    return Number(value);
  };
  return {
    registers: number("VGPRs"),
    spills: number("Spilled VGPRs"),
    scratch: number("Scratch size"),
    instructions: number("Instructions"),
    occupancy: number("Subgroups per SIMD"),
    cycles: null,
    loop: innerLoop(said),
  };
}
