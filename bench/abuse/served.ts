import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Held } from "./probe.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/murmuration.ts");
const PROBE = join(import.meta.dirname, "probe.ts");

/** Milliseconds between two looks at whether the last connection has gone. */
const LOOK_MS = 500;
/** Milliseconds after which connections that are still open count as leaked: well beyond every deadline (A4: 40 s). */
const SETTLE_MS = 75_000;

/** A real server in a process of its own, which can be asked what it holds. */
export class Served {
  readonly name: string;
  readonly link: URL;
  readonly #child: ChildProcess;
  readonly #exited: Promise<undefined>;
  /** Why it ended, if it has. */
  ended: string | undefined;

  private constructor(name: string, link: URL, child: ChildProcess) {
    this.name = name;
    this.link = link;
    this.#child = child;
    this.#exited = once(child, "exit").then(([code, signal]) => {
      this.ended = String(signal ?? code);
      return undefined;
    });
  }

  static async start(name: string, ...args: string[]): Promise<Served> {
    const node = ["--expose-gc", "--import", PROBE];
    const child = spawn(process.execPath, [...node, PROGRAM, "serve", "--port", "0", ...args], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    let printed = "";
    const link = await new Promise<URL>((resolve, reject) => {
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        const found = /https?:\S+\/operator#link=\S+/.exec(printed)?.[0];
        if (found !== undefined) resolve(new URL(found));
      });
      child.once("exit", (code) => reject(new Error(`${name} ended with ${code} before it listened`)));
    });
    return new Served(name, link, child);
  }

  get target(): { readonly port: number; readonly tls: boolean } {
    return { port: Number(this.link.port), tls: this.link.protocol === "https:" };
  }

  /** What it holds once nobody asks for anything any more and every deadline has passed. */
  async settled(): Promise<Held | undefined> {
    const last = performance.now() + SETTLE_MS;
    for (;;) {
      const held = await this.#held();
      if (held === undefined || held.sockets === 0 || performance.now() > last) return held;
      await sleep(LOOK_MS);
    }
  }

  async end(): Promise<void> {
    if (this.ended !== undefined) return;
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  async #held(): Promise<Held | undefined> {
    if (this.ended !== undefined) return undefined;
    const answer = new Promise<Held>((resolve) => this.#child.once("message", resolve));
    this.#child.send("held?");
    return Promise.race([answer, this.#exited]);
  }
}
