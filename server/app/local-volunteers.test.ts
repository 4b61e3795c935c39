import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Swarm, type SwarmOptions } from "./local-volunteers.ts";

let swarm: Swarm | undefined;
const lines: string[] = [];
afterEach(async () => {
  await swarm?.stop();
  lines.length = 0;
});

const start = (script: string, count = 1) => {
  const say = (line: string) => void lines.push(line);
  swarm = new Swarm({ command: [process.execPath, "-e", script], count, say });
  return swarm;
};

describe("volunteers started by the server", () => {
  it("run side by side until they are stopped", async () => {
    const two = start("setInterval(() => {}, 1e6)", 2);
    expect(two.size).toBe(2);
    await two.stop();
    expect(two.size).toBe(0);
    expect(lines).toEqual([]);
  });

  it("start again after a crash, and say why and when", async () => {
    start("console.error('noise'); console.error('no engine'); process.exit(1)");
    await vi.waitFor(() => expect(lines).toHaveLength(2), 20_000);
    expect(lines).toEqual([
      "volunteer 1 ended (no engine); starting it again in 1 s",
      "volunteer 1 ended (no engine); starting it again in 2 s",
    ]);
  });

  it("stay ended when they end by themselves", async () => {
    const one = start("");
    await vi.waitFor(() => expect(one.size).toBe(0), 20_000);
    expect(lines).toEqual([]);
  });

  it("are killed where asking does not help", async () => {
    const folder = await mkdtemp(join(tmpdir(), "murmuration-swarm-"));
    const listening = JSON.stringify(join(folder, "listening"));
    const deaf = start(
      `process.on("SIGTERM", () => {}); require("fs").writeFileSync(${listening}, ""); setInterval(() => {}, 1e6)`,
    );
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), 20_000);
    await deaf.stop();
    await rm(folder, { recursive: true });
    expect(deaf.size).toBe(0);
  });

  it("says what the system says of a program it cannot start", async () => {
    swarm = new Swarm({ command: ["/nonexistent"], count: 1, say: (line) => void lines.push(line) });
    await vi.waitFor(() => expect(lines).toHaveLength(1), 20_000);
    expect(lines[0]).toMatch(/ENOENT/);
  });

  it("starts a volunteer again when the system fails to start it by throwing or breaks its stderr", async () => {
    const say = (line: string) => void lines.push(line);
    const children: ChildProcess[] = [];
    const start = ((file, args, options) => {
      if (children.length === 0 && lines.length === 0) throw new Error("spawn ENOMEM");
      const child = spawn(file, args, options);
      children.push(child);
      return child;
    }) satisfies SwarmOptions["spawn"];
    swarm = new Swarm({
      command: [process.execPath, "-e", "setInterval(() => {}, 1e6)"],
      count: 1,
      say,
      spawn: start,
    });
    expect(lines).toEqual(["volunteer 1 ended (spawn ENOMEM); starting it again in 1 s"]);
    await vi.waitFor(() => expect(children).toHaveLength(1), 20_000);
    children[0]?.stderr?.destroy(new Error("read EIO"));
    children[0]?.kill("SIGKILL");
    await vi.waitFor(() => expect(lines).toHaveLength(2), 20_000);
    expect(lines[1]).toContain("read EIO");
  });
});
