import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { answered, CONTROL, type Driver, findElement, sourceOf } from "./driver.ts";
import { programOf } from "./programs.ts";

/** A small browser around WebKitGTK that comes with the library. */
const MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser";
/** The key under which WebDriver tells of an element (https://www.w3.org/TR/webdriver2/#elements). */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

type Element = Readonly<Record<typeof ELEMENT, string>>;

/** Starts Debian's WebKitGTK on a screen that nobody sees, and drives it by WebDriver. */
export async function startWebKit(): Promise<Driver> {
  const port = await freePort();
  const [command, driver] = [programOf("xvfb") ?? "xvfb-run", programOf("webkit2gtk-driver") ?? ""];
  const child = spawn(command, ["-a", driver, `--port=${port}`], {
    // In this locale, which every Debian has, WebKit's navigator.language is "C": no language tag. Root has no sandbox.
    env: { ...process.env, LC_ALL: "C.UTF-8", WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true, // a group of its own: xvfb-run leaves its children behind
  });
  const exited = once(child, "exit");
  const end = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGTERM");
    }
    await exited;
  };

  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
    return value;
  };
  try {
    await answered(() => call("GET", "/status"), "WebKitWebDriver does not answer");
    const options = { binary: globSync(MINI_BROWSER)[0], args: ["--automation"] };
    const { sessionId, capabilities } = await call<{
      sessionId: string;
      capabilities: { browserVersion: string };
    }>("POST", "/session", { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } } });
    const ask = <T>(method: string, path: string, body?: object) =>
      call<T>(method, `/session/${sessionId}${path}`, body);
    const run = <T>(script: { toString(): string }, args: readonly unknown[] = []) =>
      ask<T>("POST", "/execute/sync", { script: `return (${script})(...arguments)`, args });
    const found = (selector: string, words = "") => run<Element | null>(findElement, [selector, words]);
    await ask("POST", "/window/rect", { width: 1280, height: 900 });
    return {
      version: `WebKitGTK ${capabilities.browserVersion}`,
      open: (url) => ask("POST", "/url", { url }),
      reload: () => ask("POST", "/refresh", {}),
      text: () => run(() => document.body.innerText),
      evaluate: (script) => run(script),
      click: (name) =>
        answered(async () => {
          const control = await found(CONTROL, sourceOf(name));
          if (control === null) return undefined;
          await ask("POST", `/element/${control[ELEMENT]}/click`, {});
          return true;
        }, `there is no control named ${name}`).then(() => undefined),
      async inFrame(work) {
        const id = await answered(async () => (await found("iframe")) ?? undefined, "the page has no frame");
        await ask("POST", "/frame", { id });
        try {
          return await work();
        } finally {
          await ask("POST", "/frame", { id: null });
        }
      },
      async close() {
        await ask("DELETE", "");
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A port that was free a moment ago: the driver does not tell which it took by itself. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
