import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BEGIN, END, type Shader } from "./compile.ts";
import { type Assembly, innerLoop } from "./loops.ts";

/** What a compiler says of a kernel. */
export interface Statistics {
  /** Vector registers of a lane. */
  readonly registers: number;
  /** Registers that did not fit, and live in memory. */
  readonly spills: number;
  /** Bytes of memory that a wave keeps them in. */
  readonly scratch: number;
  readonly instructions: number;
  /** Waves that a SIMD holds at once. */
  readonly occupancy: number;
  /** Of the loop that has most multiply-adds. */
  readonly loop: Assembly;
}

/** AMD's RDNA2, as Mesa's RADV compiles for it without one being there. */
const FAMILY = "navi21";
const DRIVER = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";
const LAYER = "VK_LAYER_MURMURATION_stub";

/** Why this compiler cannot be had here; undefined where it can. Fetches and builds what is missing. */
export function prepareRadv(folder: string): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "only on x86-64 Linux";
  if (!existsSync(DRIVER)) return `there is no ${DRIVER} (Debian: mesa-vulkan-drivers)`;
  const installed = existsSync(join(import.meta.dirname, "node_modules/webgpu"));
  if (!installed && !works("npm", ["ci", "--no-audit", "--no-fund"], import.meta.dirname))
    return "the package webgpu cannot be installed";
  return existsSync(join(folder, "stub.json")) ? undefined : buildLayer(folder);
}

/** Builds the layer, with Debian's Vulkan headers where none are installed. Says why not. */
function buildLayer(folder: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  let headers = "/usr/include";
  if (!existsSync(join(headers, "vulkan/vk_layer.h"))) {
    const fetched =
      works("apt-get", ["download", "libvulkan-dev"], folder) &&
      works(
        "dpkg",
        ["-x", readdirSync(folder).find((name) => name.endsWith(".deb")) ?? "", "headers"],
        folder,
      );
    if (!fetched) return "there are no Vulkan headers (Debian: libvulkan-dev)";
    headers = join(folder, "headers/usr/include");
  }
  const source = join(import.meta.dirname, "stub.c");
  if (!works("cc", ["-shared", "-fPIC", "-O1", `-I${headers}`, source, "-o", "libstub.so"], folder))
    return "the Vulkan layer cannot be compiled (Debian: gcc)";
  const layer = {
    name: LAYER,
    type: "GLOBAL",
    library_path: join(folder, "libstub.so"),
    api_version: "1.3.0",
    implementation_version: "1",
    description: "Submits nothing",
    functions: { vkNegotiateLoaderLayerInterfaceVersion: "vkNegotiateLoaderLayerInterfaceVersion" },
  };
  writeFileSync(join(folder, "stub.json"), JSON.stringify({ file_format_version: "1.1.2", layer }));
  return undefined;
}

const works = (command: string, args: readonly string[], cwd: string): boolean =>
  spawnSync(command, args, { cwd, stdio: "ignore" }).status === 0;

/** Statistics by label. Throws where the compiler ends early, or refuses a shader. */
export function compileWithRadv(folder: string, shaders: readonly Shader[]): Map<string, Statistics> {
  const list = join(folder, "shaders.json");
  const log = join(folder, "radv.log");
  writeFileSync(list, JSON.stringify(shaders));
  const file = openSync(log, "w"); // Node makes pipes such that the driver's own output is dropped where one is full
  const { status, signal } = spawnSync(process.execPath, [join(import.meta.dirname, "compile.ts"), list], {
    stdio: ["ignore", "ignore", file],
    env: {
      ...process.env,
      RADV_FORCE_FAMILY: FAMILY,
      RADV_DEBUG: "shaders,shaderstats,nocache",
      MESA_SHADER_CACHE_DISABLE: "true",
      VK_ICD_FILENAMES: DRIVER,
      VK_LAYER_PATH: folder,
      VK_INSTANCE_LAYERS: LAYER,
    },
  });
  closeSync(file);
  const said = readFileSync(log, "utf8");
  if (status !== 0) throw new Error(`RADV ended with ${status ?? signal}: ${said.slice(-2_000)}`);
  return statisticsOf(said);
}

/** What RADV wrote of each shader. */
export function statisticsOf(log: string): Map<string, Statistics> {
  const found = new Map<string, Statistics>();
  for (const part of log.split(`\n${BEGIN}`).slice(1)) {
    const label = part.slice(0, part.indexOf("\n"));
    const refused = part.match(new RegExp(`${END}: (.*)`))?.[1];
    if (refused !== undefined) throw new Error(`${label} was refused: ${refused}`);
    const number = (name: string) => {
      const value = part.match(new RegExp(`^${name}: (\\d+)$`, "m"))?.[1];
      if (value === undefined) throw new Error(`RADV does not say ${name} of ${label}`);
      return Number(value);
    };
    found.set(label, {
      registers: number("VGPRs"),
      spills: number("Spilled VGPRs"),
      scratch: number("Scratch size"),
      instructions: number("Instructions"),
      occupancy: number("Subgroups per SIMD"),
      loop: innerLoop(part),
    });
  }
  return found;
}
