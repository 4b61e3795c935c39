import { existsSync } from "node:fs";
import { join } from "node:path";
import { had, unpacks, unpacksSource, works } from "./debian.ts";
import type { Driver, Statistics } from "./driver.ts";

const SHIM = "libintel_noop_drm_shim.so";

/**
 * Intel's Iris Xe (Tiger Lake), as Mesa's ANV compiles for it where a shim stands for the kernel's driver: with 16 lanes a
 * subgroup, as it does by itself, and with 8, as it would where a kernel asked for so many, which ours do not.
 */
export const intel = (folder: string, lanes: 8 | 16): Driver => ({
  name: `ANV${lanes}`,
  library: "usr/lib/x86_64-linux-gnu/libvulkan_intel.so",
  environment: {
    LD_PRELOAD: join(folder, SHIM),
    INTEL_STUB_GPU_PLATFORM: "tgl",
    INTEL_DEBUG: "cs",
  },
});

/** Of Mesa's source, what the shim is made of. */
const PARTS = [
  "include/*",
  "src/c11/*",
  "src/compiler/shader_enums.h",
  "src/drm-shim/*",
  "src/intel/common/*",
  "src/intel/dev/*",
  "src/intel/tools/*",
  "src/util/*",
];
const FILES = [
  "intel/tools/intel_noop_drm_shim",
  ...["drm-shim/drm_shim", "drm-shim/device", "c11/impl/threads_posix"],
  ...["intel/dev/intel_device_info", "intel/dev/intel_hwconfig"],
  ...["intel/common/intel_gem", "intel/common/intel_engine"],
  ...["hash_table", "log", "os_file", "os_misc", "ralloc", "set", "u_debug", "u_printf", "vma"].map(
    (name) => `util/${name}`,
  ),
];
const DEFINITIONS = [
  ...["_GNU_SOURCE", "HAVE_PTHREAD", "HAVE_MEMFD_CREATE", "HAVE_STRUCT_TIMESPEC", "HAVE_TIMESPEC_GET"],
  ...["UTIL_ARCH_LITTLE_ENDIAN=1", "UTIL_ARCH_BIG_ENDIAN=0", "HAVE_FUNC_ATTRIBUTE_FORMAT", "HAVE_STRTOF"],
  ...["FFS", "FFSLL", "POPCOUNT", "POPCOUNTLL", "CLZ", "CLZLL", "UNREACHABLE", "EXPECT"].map(
    (name) => `HAVE___BUILTIN_${name}`,
  ),
];

/** Why Intel's hardware cannot be stood in for; undefined where it can. Builds Mesa's shim, which no package of Debian has. */
export function prepareIntel(folder: string): string | undefined {
  if (existsSync(join(folder, SHIM))) return undefined;
  const header = "usr/include/xf86drm.h";
  if (!had(folder, header) && !unpacks(folder, "libdrm-dev"))
    return "there are no headers of DRM (Debian: libdrm-dev)";
  if (!unpacksSource(folder, "mesa", PARTS)) return "Mesa's source cannot be fetched from Debian";
  const headers = join(had(folder, header) ?? "", "..");
  const includes = ["src", "include", "src/intel", "src/util"].map((part) => join("mesa", part));
  const built = works(
    "cc",
    [
      ...["-shared", "-fPIC", "-O1", "-w", "-fvisibility=hidden", "-Wl,--no-undefined"],
      ...DEFINITIONS.map((name) => `-D${name}`),
      ...[...includes, headers, join(headers, "libdrm")].map((path) => `-I${path}`),
      ...FILES.map((name) => join("mesa/src", `${name}.c`)),
      ...["-l:libdrm.so.2", "-ldl", "-lpthread", "-lm", "-o", SHIM],
    ],
    folder,
  );
  return built ? undefined : "Mesa's shim cannot be compiled (Debian: gcc)";
}

/** What ANV printed of a shader: the last of its compilations is the one that it takes. */
export function intelStatistics(label: string, said: string): Statistics {
  const line = /^SIMD\d+ shader: (\d+) instructions\. \d+ loops\. (\d+) cycles\. (\d+):\d+ spills:fills/gm;
  const last = [...said.matchAll(line)].at(-1);
  if (!last) throw new Error(`ANV says nothing of ${label}`);
  const [instructions, cycles, spills] = last.slice(1).map(Number) as [number, number, number];
  return { registers: null, spills, scratch: null, instructions, occupancy: null, cycles, loop: null };
}
