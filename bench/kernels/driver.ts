import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BEGIN, END, type Shader } from "./compile.ts";
import { had, unpacks, works } from "./debian.ts";
import type { Assembly } from "./loops.ts";

/** What a compiler says of a kernel; null of what it does not say. */
export interface Statistics {
  /** Vector registers of a lane. */
  readonly registers: number | null;
  /** Registers that did not fit, and live in memory. */
  readonly spills: number;
  /** Bytes of memory that a wave keeps them in. */
  readonly scratch: number | null;
  readonly instructions: number;
  /** Waves that a SIMD holds at once. */
  readonly occupancy: number | null;
  /** Of the whole kernel, each loop taken a few times over, as the compiler estimates it. */
  readonly cycles: number | null;
  /** Of the loop that has most multiply-adds. */
  readonly loop: Assembly | null;
}

/** A Vulkan driver that compiles for hardware which is not there. */
export interface Driver {
  /** For messages and files. */
  readonly name: string;
  /** Its library, in Debian's mesa-vulkan-drivers. */
  readonly library: string;
  /** Has it print what it compiles, without a device. */
  readonly environment: Readonly<Record<string, string>>;
}

const LOADER = "usr/lib/x86_64-linux-gnu/libvulkan.so.1";
const LAYER = "VK_LAYER_MURMURATION_stub";

/** Why Mesa's compilers cannot be had here; undefined where they can. Fetches and builds what is missing. */
export function prepareDrivers(folder: string, drivers: readonly Driver[]): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "only on x86-64 Linux";
  mkdirSync(folder, { recursive: true });
  const all = () => drivers.every(({ library }) => had(folder, library));
  if (!all() && !(unpacks(folder, "mesa-vulkan-drivers") && all()))
    return "there are no drivers (Debian: mesa-vulkan-drivers)";
  if (!had(folder, LOADER) && !unpacks(folder, "libvulkan1"))
    return "there is no Vulkan loader (Debian: libvulkan1)";
  const installed = existsSync(join(import.meta.dirname, "node_modules/webgpu"));
  if (!installed && !works("npm", ["ci", "--no-audit", "--no-fund"], import.meta.dirname))
    return "the package webgpu cannot be installed";
  return existsSync(join(folder, "stub.json")) ? undefined : buildLayer(folder);
}

/** Builds the layer, with Debian's Vulkan headers where none are installed. Says why not. */
function buildLayer(folder: string): string | undefined {
  const header = "usr/include/vulkan/vk_layer.h";
  if (!had(folder, header) && !unpacks(folder, "libvulkan-dev"))
    return "there are no Vulkan headers (Debian: libvulkan-dev)";
  const headers = join(had(folder, header) ?? "", "../..");
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

/** What the driver prints for each shader, by label. Throws where it ends early, or refuses a shader. */
export function compile(folder: string, driver: Driver, shaders: readonly Shader[]): Map<string, string> {
  const { name, library, environment } = driver;
  const [list, log, icd] = [`${name}.shaders.json`, `${name}.log`, `${name}.json`].map((one) =>
    join(folder, one),
  ) as [string, string, string];
  writeFileSync(list, JSON.stringify(shaders));
  const ICD = { library_path: had(folder, library), api_version: "1.3.0" };
  writeFileSync(icd, JSON.stringify({ file_format_version: "1.0.0", ICD }));
  const file = openSync(log, "w"); // Node makes pipes such that the driver's own output is dropped where one is full
  const { status, signal } = spawnSync(process.execPath, [join(import.meta.dirname, "compile.ts"), list], {
    stdio: ["ignore", "ignore", file],
    env: {
      ...process.env,
      ...environment,
      MESA_SHADER_CACHE_DISABLE: "true",
      LD_LIBRARY_PATH: dirname(had(folder, LOADER) ?? ""),
      VK_ICD_FILENAMES: icd,
      VK_LAYER_PATH: folder,
      VK_INSTANCE_LAYERS: LAYER,
    },
  });
  closeSync(file);
  const said = readFileSync(log, "utf8");
  const found = saidOf(said);
  // what such a driver does at the process's end is nobody's concern, once it has compiled everything
  if (status !== 0 && shaders.some(({ label }) => !found.get(label)?.includes(`\n${END}`)))
    throw new Error(`${name} ended with ${status ?? signal}: ${said.slice(-2_000)}`);
  return found;
}

/** A log by label. Throws where a shader was refused. */
export function saidOf(log: string): Map<string, string> {
  const parts = log.split(`\n${BEGIN}`).slice(1);
  return new Map(
    parts.map((part) => {
      const label = part.slice(0, part.indexOf("\n"));
      const refused = part.match(new RegExp(`${END}: (.*)`))?.[1];
      if (refused !== undefined) throw new Error(`${label} was refused: ${refused}`);
      return [label, part];
    }),
  );
}
