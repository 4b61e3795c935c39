import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { SwarmElement } from "../../client/embed/messages.ts";
import { SIGNALLING_PATH } from "../../protocol/routes.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { chromiumFlags } from "./flags.ts";
import { launchChromium } from "./launch.ts";
import { areMissing } from "./programs.ts";
import { type ReverseProxy, startCaddy, startNginx } from "./reverse-proxies.ts";

/** A real server behind real nginx and caddy: at the root, under a path that the proxy takes off, and under one it keeps. */
const PROGRAM = join(import.meta.dirname, "../../bin/murmuration.ts");
const PEERS = { peers: { on: true } };
const nginx = !areMissing("reverse proxies: nginx", "nginx-light");
const caddy = !areMissing("reverse proxies: caddy", "caddy");

/** What OPERATIONS.md tells an operator of nginx to write. */
const nginxHeaders = `
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 75s;
      client_max_body_size 64m;`;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let failures: string[];
/** A run for each choice of flags: what proxies stand in front of, it cannot tell. */
const runs = new Map<string, Promise<SmallRun>>();
function runWith(...flags: readonly string[]): Promise<SmallRun> {
  const started = runs.get(flags.join()) ?? startSmallRun(PEERS, ...flags);
  runs.set(flags.join(), started);
  return started;
}
beforeAll(async () => {
  browser = await launchChromium({ peers: true });
});
afterAll(async () => {
  await browser.close();
  for (const run of runs.values()) await (await run).end();
});
beforeEach(async () => {
  context = await browser.newContext({ ignoreHTTPSErrors: true });
  page = await context.newPage();
  failures = [];
  page.on("pageerror", (error) => failures.push(error.message));
  page.on("response", (answer) => {
    if (answer.status() === 404) failures.push(`404 ${answer.url()}`);
  });
});
afterEach(() => context.close());

type Way = readonly [
  name: string,
  there: boolean,
  base: string,
  flags: readonly string[],
  /** What the address ends in that a volunteer on the command line is given. */
  end: "" | "/",
  open: (to: string) => Promise<ReverseProxy>,
];
const WAYS: readonly Way[] = [
  [
    "nginx that takes the path off",
    nginx,
    "/train/",
    ["--trust-proxy"],
    "",
    (to) => startNginx(`location /train/ { proxy_pass ${to}/; ${nginxHeaders} }`),
  ],
  [
    "nginx that keeps the path",
    nginx,
    "/train/",
    ["--trust-proxy", "--base-path", "/train/"],
    "/",
    (to) => startNginx(`location /train/ { proxy_pass ${to}; ${nginxHeaders} }`),
  ],
  [
    "caddy that takes the path off",
    caddy,
    "/train/",
    ["--trust-proxy"],
    "",
    (to) => startCaddy(`redir /train /train/\n  handle_path /train/* {\n    reverse_proxy ${to}\n  }`),
  ],
];

describe.each(WAYS.filter(([, there]) => there))("behind %s", (_, __, base, flags, end, open) => {
  let run: SmallRun;
  let proxy: ReverseProxy;
  let server: string;
  beforeAll(async () => {
    run = await runWith(...flags);
    proxy = await open(run.server.origin);
    server = `http://localhost:${proxy.port}${base}`;
  });
  afterAll(() => proxy.end());

  it("a volunteer trains in the browser, gets credit, hears events and signals to peers", async () => {
    const signalling = page.waitForEvent("websocket");
    const asked: string[] = [];
    context.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${server.replace(/\/$/, "")}?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByRole("checkbox", { name: "Share with other visitors" }).check();
    const socket = await signalling;
    expect(new URL(socket.url()).pathname).toBe(base.slice(0, -1) + SIGNALLING_PATH);
    expect(String((await socket.waitForEvent("framereceived")).payload)).toContain("OPEN");
    await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 90_000 });
    expect(asked.filter((path) => !path.startsWith(base) && path !== base.slice(0, -1))).toEqual([]);
    expect(asked).toContain(`${base}api/events`);
    expect(failures).toEqual([]);
  });

  it("every page opens, with its scripts and links under the path", async () => {
    for (const [path, words] of [
      ["how", "How training works"],
      ["playground", ""],
      ["status", ""],
      ["bench", ""],
    ] as const) {
      await page.goto(server + path);
      await page.locator("#page").locator("h1").first().waitFor();
      if (words !== "") expect(await page.title()).toContain(words);
      const links = await page
        .locator("a[href]")
        .evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).pathname));
      expect(links.filter((link) => !link.startsWith(base))).toEqual([]);
    }
    const download = await page.request.get(`${server}api/snapshots/latest.safetensors`);
    expect(download.status()).toBe(200);
    expect(failures).toEqual([]);
  });

  it("the operator signs in, acts and signs out", async () => {
    const secret = (await run.operatorLink()).split("#")[1];
    await page.goto(`${server}operator#${secret}`);
    await page.getByText("Signed in as Ann").waitFor();
    const [cookie] = await context.cookies(`${server}api/operator`);
    expect(cookie?.path).toBe(base);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Paused.").first().waitFor();
    expect(await page.getByText(/X-Forwarded-For arrives/).count()).toBe(0);
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: /GGUF/ }).first().click();
    expect((await download).suggestedFilename()).toMatch(/\.gguf$/);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
    expect(await context.cookies(`${server}api/operator`)).toEqual([]);
  });

  it("a page of another origin embeds the volunteer", async () => {
    const blog = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<!doctype html><p>A blog.</p><script defer src="${server}embed.js"></script>`);
    });
    await new Promise<void>((resolve) => blog.listen(0, "127.0.0.1", resolve));
    try {
      await page.goto(`http://localhost:${(blog.address() as AddressInfo).port}/`);
      await page.getByRole("button", { name: "Help train a language model" }).click();
      const frame = page.frameLocator("iframe");
      await frame.getByRole("button", { name: "Yes, help train" }).click();
      const sent = () => page.locator("murmuration-swarm").evaluate((box: SwarmElement) => box.status().sent);
      await expect.poll(sent, { timeout: 90_000 }).toBeGreaterThan(0);
      expect(failures.filter((one) => !one.includes("favicon"))).toEqual([]);
    } finally {
      blog.closeAllConnections();
      blog.close();
    }
  });

  it(`the command line trains with the address ending in ${JSON.stringify(end)}`, async () => {
    const address = server.replace(/\/$/, "") + end;
    const child = spawn(process.execPath, [PROGRAM, "volunteer", address, "--device", "wasm"]);
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        if (/^version \d+: loss .* sent/.test(line)) return;
      }
      throw new Error("the volunteer ended without sending");
    } finally {
      child.kill("SIGTERM");
    }
  });
});

describe.runIf(nginx)("behind nginx's plain proxy_pass, which rewrites Host", () => {
  let run: SmallRun;
  let proxy: ReverseProxy;
  beforeAll(async () => {
    run = await runWith("--trust-proxy");
    proxy = await startNginx(`location / { proxy_pass ${run.server.origin}; client_max_body_size 1k; }`);
  });
  afterAll(() => proxy.end());
  const signIn = async (origin: string) => {
    await page.goto(`${origin}/operator#${(await run.operatorLink()).split("#")[1]}`);
  };

  it("the operator signs in and acts", async () => {
    await signIn(`http://localhost:${proxy.port}`);
    await page.getByText("Signed in as Ann").waitFor();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Paused.").first().waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
  });

  it("the operator is warned that visitors may choose the address that limits count", async () => {
    await signIn(`http://localhost:${proxy.port}`);
    await page.getByText(/X-Forwarded-For arrives as the browser sent it/).waitFor({ timeout: 60_000 });
  });

  it("over plain HTTP, where browsers compare nothing, the page names the headers to set", async () => {
    const elsewhere = await chromium.launch({
      executablePath: inject("chromium"),
      args: [...chromiumFlags(), "--host-resolver-rules=MAP train.test 127.0.0.1"],
    });
    try {
      page = await elsewhere.newPage();
      await signIn(`http://train.test:${proxy.port}`);
      await page.getByText(/X-Forwarded-Host.*The link was not used up/).waitFor();
    } finally {
      await elsewhere.close();
    }
  });

  it("a delta that nginx refuses is reported with its status and the setting to raise", async () => {
    await page.goto(`http://localhost:${proxy.port}/?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page
      .getByText(/answered 413: .*client_max_body_size/)
      .first()
      .waitFor({ timeout: 90_000 });
  });
});

describe.runIf(caddy)("behind caddy, which ends TLS", () => {
  it("the operator's cookie is Secure, and for this host alone", async () => {
    const run = await runWith("--trust-proxy");
    const proxy = await startCaddy(
      `tls internal\n  reverse_proxy ${run.server.origin}`,
      (port) => `https://localhost:${port}`,
    );
    try {
      const origin = `https://localhost:${proxy.port}`;
      await page.goto(`${origin}/operator#${(await run.operatorLink()).split("#")[1]}`);
      await page.getByText("Signed in as Ann").waitFor();
      const [cookie] = await context.cookies(origin);
      expect(cookie).toMatchObject({ name: "__Host-murmuration-operator", secure: true, httpOnly: true });
    } finally {
      await proxy.end();
    }
  });
});
