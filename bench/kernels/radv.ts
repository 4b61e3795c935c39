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
import { dirname, join } from "node:path";
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
const DRIVER = "usr/lib/x86_64-linux-gnu/libvulkan_radeon.so";
const LOADER = "usr/lib/x86_64-linux-gnu/libvulkan.so.1";
/** Where the bench's folder has what Debian's packages hold, unpacked. */
const UNPACKED = "debian";
const LAYER = "VK_LAYER_MURMURATION_stub";

/** Why this compiler cannot be had here; undefined where it can. Fetches and builds what is missing. */
export function prepareRadv(folder: string): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "only on x86-64 Linux";
  mkdirSync(folder, { recursive: true });
  if (!had(folder, DRIVER) && !unpacks(folder, "mesa-vulkan-drivers"))
    return "there is no RADV (Debian: mesa-vulkan-drivers)";
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

/** The file of a Debian package, installed or unpacked; undefined where it is neither. */
const had = (folder: string, file: string): string | undefined =>
  [join("/", file), join(folder, UNPACKED, file)].find((path) => existsSync(path));

/** Fetches a package of the machine's own Debian and unpacks it in the folder; nothing is installed. */
function unpacks(folder: string, name: string): boolean {
  if (!works("apt-get", ["download", name], folder)) return false;
  const file = readdirSync(folder).find((one) => one.startsWith(`${name}_`) && one.endsWith(".deb"));
  return file !== undefined && works("dpkg", ["-x", file, UNPACKED], folder);
}

const works = (command: string, args: readonly string[], cwd: string): boolean =>
  spawnSync(command, args, { cwd, stdio: "ignore" }).status === 0;

/** Statistics by label. Throws where the compiler ends early, or refuses a shader. */
export function compileWithRadv(folder: string, shaders: readonly Shader[]): Map<string, Statistics> {
  const list = join(folder, "shaders.json");
  const log = join(folder, "radv.log");
  writeFileSync(list, JSON.stringify(shaders));
  const driver = join(folder, "radv.json");
  const ICD = { library_path: had(folder, DRIVER), api_version: "1.3.0" };
  writeFileSync(driver, JSON.stringify({ file_format_version: "1.0.0", ICD }));
  const file = openSync(log, "w"); // Node makes pipes such that the driver's own output is dropped where one is full
  const { status, signal } = spawnSync(process.execPath, [join(import.meta.dirname, "compile.ts"), list], {
    stdio: ["ignore", "ignore", file],
    env: {
      ...process.env,
      RADV_FORCE_FAMILY: FAMILY,
      RADV_DEBUG: "shaders,shaderstats,nocache",
      MESA_SHADER_CACHE_DISABLE: "true",
      LD_LIBRARY_PATH: dirname(had(folder, LOADER) ?? ""),
      VK_ICD_FILENAMES: driver,
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
