import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromiumFlags } from "../../test/browser/flags.ts";

const program = join(import.meta.dirname, "../../bin/murmuration.ts");

/** MiB that a process has had resident at most, 0 where there is no /proc or no such process. */
export async function peakMiB(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024);
}

/** Runs one command of the program to its end, and returns its exit code. */
export async function command(...args: string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  return Number(code ?? 1);
}

/** Something that trains until it is ended. */
export interface Trainee {
  peakMiB(): Promise<number>;
  end(): Promise<void>;
}

/** A volunteer of the command line, on WASM. */
export function commandLine(origin: string): Trainee {
  const child: ChildProcess = spawn(process.execPath, [program, "volunteer", origin, "--device", "wasm"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    peakMiB: () => peakMiB(child.pid),
    async end() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** A page that trains. */
export interface Page extends Trainee {
  /** Tokens of what it has sent. */
  sent(): Promise<number>;
  /** What it says of itself. */
  says(): Promise<string>;
}

/** A page in Chromium that trains on WebGPU's software adapter; its peak is that of the GPU's process. */
export async function page(origin: string, executablePath: string): Promise<Page> {
  const browser = await chromium.launch({ executablePath, args: chromiumFlags({ webgpu: true }) });
  const context = await browser.newContext({ locale: "en" });
  const tab = await context.newPage();
  await tab.goto(`${origin}/?device=webgpu`);
  await tab.getByRole("button", { name: "Start training" }).click();
  const text = async () => (await tab.locator("main").innerText()).replaceAll(/\s+/g, " ");
  return {
    peakMiB: gpuPeak,
    end: () => browser.close(),
    sent: async () => Number(/([\d,]+) tokens sent since/.exec(await text())?.[1]?.replaceAll(",", "") ?? 0),
    says: async () => /Your part (.*?) Pause/.exec(await text())?.[1] ?? (await text()),
  };
}

/** Of the GPU processes below this one the largest. */
async function gpuPeak(): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const peaks = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return line.includes("--type=gpu-process") && (await isOurs(pid)) ? peakMiB(pid) : 0;
    }),
  );
  return Math.max(0, ...peaks);
}

async function isOurs(pid: number): Promise<boolean> {
  if (pid <= 1) return false;
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return parent === process.pid || isOurs(parent);
}
