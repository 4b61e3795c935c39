import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { SwarmElement, SwarmStatus } from "../../client/embed/messages.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { ServerProcess } from "../harness/server-process.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

const SETTINGS = {
  name: "A small run",
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  evaluateWindows: 32,
};

/** What the button says when the tag says nothing. */
export const OPEN = "Help train a language model";

/** A blog of another origin, a visitor of it, and the real server and run that its tag names. */
export interface Blog {
  /** What the next page holds above its text, and its policy. */
  body: string;
  head: string;
  policy: string;
  /** Other headers of the page. */
  headers: Record<string, string>;
  readonly server: ServerProcess;
  readonly page: Page;
  /** What the page threw, and what its policy or the browser forbade. */
  readonly failures: readonly string[];
  /** The paths that the page, its frame and their Workers asked for. */
  readonly asked: readonly string[];
  /** Of another site than the server's or, with its host, of the same: only there Chromium lets the frame store. */
  origin(host?: string): string;
  tag(attributes?: string): string;
  /** The same blog on a port that the server does not name; to be closed. */
  strange(): Promise<{ origin: string; close(): Promise<unknown> }>;
  open(): Promise<void>;
  agree(): Promise<void>;
  frame(): FrameLocator;
  /** Calls a method of the element. */
  call(method: "start" | "pause" | "stop" | "revoke"): Promise<void>;
  status(): Promise<SwarmStatus>;
  /** Writes down what the element says from now on. */
  listen(): Promise<void>;
  heard(): Promise<string[]>;
  /** Deltas sent. */
  uploads(): number;
  /** Resolves after two more deltas: the first may have been on its way. */
  trains(): Promise<void>;
}

const originOf = (site: Server, host: string) => `http://${host}:${(site.address() as AddressInfo).port}`; // a TCP server that listens has one
const close = (site: Server) => {
  site.closeAllConnections();
  return new Promise((resolve) => site.close(resolve));
};

/** Gives a file a server, a run and a blog, and each of its tests a page and a strict policy. */
export function visitBlog(): Blog {
  let run: SmallRun;
  let browser: Browser;
  let site: Server;
  let page: Page;
  let failures: string[];
  let asked: string[];

  const serve = (): Promise<Server> => {
    const one = createServer((_, response) => {
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": blog.policy,
        ...blog.headers,
      });
      response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
        <title>A blog</title>${blog.head}<body><main><h1>A blog</h1>${blog.body}<p id="below">Some text below.</p></main>`);
    });
    return new Promise((resolve) => one.listen(0, "127.0.0.1", () => resolve(one)));
  };
  const swarm = () => page.locator("murmuration-swarm");
  const frame = () => page.frameLocator("iframe");
  const uploads = () => asked.filter((path) => path === ROUTES.deltas).length;
  const blog: Blog = {
    body: "",
    head: "",
    policy: "",
    headers: {},
    get server() {
      return run.server;
    },
    get page() {
      return page;
    },
    get failures() {
      return failures;
    },
    get asked() {
      return asked;
    },
    origin: (host = "localhost") => originOf(site, host),
    tag: (attributes = "") =>
      `<script defer src="${run.server.origin}/embed.js" data-share="1" ${attributes}></script>`,
    async strange() {
      const one = await serve();
      return { origin: originOf(one, "localhost"), close: () => close(one) };
    },
    open: () => page.getByRole("button", { name: OPEN }).click(),
    agree: () => frame().getByRole("button", { name: "Yes, help train" }).click(),
    frame,
    call: (method) => swarm().evaluate((element: SwarmElement, name) => element[name](), method),
    status: () => swarm().evaluate((element: SwarmElement) => element.status()),
    listen: () =>
      swarm().evaluate((element) => {
        const heard: string[] = [];
        for (const name of ["consent", "state", "step", "credit", "error", "blocked"]) {
          element.addEventListener(name, (event) => {
            if (event instanceof CustomEvent) heard.push(`${name} ${JSON.stringify(event.detail)}`);
          });
        }
        Object.assign(window, { heard });
      }),
    heard: () => page.evaluate(() => (window as unknown as { heard: string[] }).heard),
    uploads,
    trains() {
      const before = uploads();
      return expect.poll(uploads).toBeGreaterThan(before + 1);
    },
  };

  beforeAll(async () => {
    site = await serve();
    const named = ["localhost", "127.0.0.1"].flatMap((host) => ["--embed-on", originOf(site, host)]);
    [run, browser] = await Promise.all([startSmallRun(SETTINGS, ...named), launchChromium()]);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await close(site);
    await run.end();
  });
  beforeEach(async () => {
    const { origin } = run.server;
    blog.policy = `default-src 'none'; script-src ${origin}; frame-src ${origin}; require-trusted-types-for 'script'`;
    blog.body = blog.tag();
    blog.head = "";
    blog.headers = {};
    [failures, asked] = [[], []];
    page = await (await browser.newContext()).newPage();
    page.on("pageerror", (error) => failures.push(error.message));
    page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    page.on("websocket", (socket) => asked.push(socket.url()));
  });
  afterEach(() => page.context().close());
  return blog;
}
