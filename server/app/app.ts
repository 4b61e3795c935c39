import { statfs } from "node:fs/promises";
import type { Hono } from "hono";
import type { Logger } from "pino";
import type { AppOptions } from "../http/app.ts";
import { createApp } from "../http/app.ts";
import type { Assets } from "../http/assets.ts";
import type { Edge } from "../net/edge.ts";
import type { Upgrades } from "../net/listen.ts";
import { Networks } from "../net/network.ts";
import { AuditLog } from "../operator/audit-log.ts";
import type { Curves } from "../operator/curves.ts";
import { Sessions } from "../operator/sessions.ts";
import { Introductions } from "../peers/introductions.ts";
import { Signalling } from "../peers/signalling.ts";
import type { Run } from "../run/run.ts";
import { SetupService } from "../setup/run-setup.ts";
import { TextService } from "../setup/text-service.ts";
import { type UploadDisk, UploadedText } from "../setup/uploaded-text.ts";
import type { EdgeNode } from "./edge-node.ts";
import { edgeView, type ShownNode } from "./edge-view.ts";
import type { OpenDirectory } from "./open-directory.ts";
import { type OperatorView, openOperatorView, type ProcessMeters } from "./operator.ts";
import type { ServeOptions } from "./serve-options.ts";

export interface AppParts {
  readonly curves: Curves;
  readonly assets: Assets;
  readonly meters: ProcessMeters;
  /** On a server of several runs: where this one is, the sessions of the operator of all of them, and what they share. */
  readonly among?: Required<
    Pick<AppOptions, "place" | "overall" | "uploadTurns" | "uploadRoom" | "reads" | "cards">
  >;
}

/**
 * Serves a run, or, until an operator has made it, the page that makes one. The sockets and the sessions stay when the
 * run takes the place of that page.
 */
export class App implements Pick<Hono<Edge>, "fetch"> {
  /** Ends the event streams, so that the server can close. */
  readonly closing = new AbortController();
  /** Resolves with a run that an operator made. */
  readonly runCreated: Promise<Run>;
  /** Names the networks that requests come from. */
  readonly networks = new Networks();
  /** Ends an edge's event streams: their listeners come back, to the run that is then served. */
  #following = new AbortController();
  readonly #flags: ServeOptions;
  readonly #log: Logger;
  readonly #curves: Curves;
  readonly #shared: AppOptions;
  readonly #meters: ProcessMeters;
  #app: Hono<Edge>;
  #operatorView: OperatorView | undefined;
  #signalling: Signalling | undefined;
  #setup: SetupService | undefined;
  #text: TextService | undefined;
  #onRunCreated: (run: Run) => void = () => {};

  constructor(flags: ServeOptions, log: Logger, { curves, assets, meters, among }: AppParts) {
    const { proxies, embedOn, origins, mirror } = flags;
    const now = () => performance.now();
    const sessions = new Sessions(now);
    this.#flags = flags;
    this.#log = log;
    this.#curves = curves;
    this.#meters = meters;
    this.#shared = {
      assets,
      log,
      proxies,
      embedOn,
      origins,
      basePath: flags.basePath,
      now,
      sessions,
      networks: this.networks,
      closing: this.closing.signal,
      mirror: mirror?.url,
      ...among,
    };
    this.#app = createApp(undefined, this.#shared);
    this.runCreated = new Promise((resolve) => {
      this.#onRunCreated = resolve;
    });
  }

  readonly fetch: Hono<Edge>["fetch"] = (request, ...rest) => this.#app.fetch(request, ...rest);

  /** WebSockets, of which the only kind is browsers' signalling. */
  readonly upgrades: Upgrades = {
    takes: (path) => this.#signalling?.takes(path) ?? false,
    take: (request, socket, head) => {
      if (this.#signalling === undefined) socket.destroy();
      else this.#signalling.take(request, socket, head);
    },
  };

  /** Serves a run that another server leads, until {@link move} is called. */
  follow(node: Pick<EdgeNode, "passing"> & ShownNode): void {
    const { now, proxies } = this.#shared;
    const view = edgeView(node, this.#flags, this.#meters);
    const passing = { ...node.passing, now, proxies };
    this.#following.abort();
    this.#following = new AbortController();
    const closing = AbortSignal.any([this.closing.signal, this.#following.signal]);
    this.#app = createApp(node.service, { ...this.#shared, ...view, passing, role: "edge", closing });
  }

  /** Serves nothing until {@link follow} or {@link move} is called: an edge that cannot follow knows too little. */
  unfollow(): void {
    this.#following.abort();
    this.#app = createApp(undefined, this.#shared);
  }

  /** Serves what the directory holds. */
  async move(directory: OpenDirectory): Promise<void> {
    if (directory.run !== undefined) await this.#serve(directory.run, directory);
    else if (directory.corpus !== undefined) await this.#openSetup(directory, directory.corpus);
  }

  async close(): Promise<void> {
    await this.#setup?.close();
    await this.#text?.close();
    await this.#operatorView?.close();
  }

  async #serve(run: Run, { takeText, work }: Pick<OpenDirectory, "takeText" | "work">): Promise<void> {
    const meters = { ...this.#meters, work };
    const view = await openOperatorView(run, this.#curves, this.#flags, this.#log, meters);
    this.#operatorView = view;
    const peers = run.manifest().peers && this.#openSharing();
    this.#text = await this.#openText(run, takeText, view.log);
    const role = this.#flags.cluster && ({ role: "leader" } as const);
    const parts = {
      ...view.edge,
      text: this.#text,
      completions: run.completions,
      ...role,
      ...(peers && { peers }),
    };
    this.#app = createApp(run, { ...this.#shared, ...parts });
    this.#following.abort();
  }

  async #openText(run: Run, take: () => Promise<void>, log: AuditLog): Promise<TextService> {
    const { data } = this.#flags;
    const disk = diskOf(data);
    return TextService.open({
      ...{ directory: data, run, disk, take, errors: this.#log, wallClock: Date.now },
      text: await UploadedText.open(data, disk),
      log,
    });
  }

  #openSharing(): Introductions {
    const { now, proxies } = this.#shared;
    const introductions = new Introductions(now, Math.random);
    this.#signalling = new Signalling({ introductions, proxies, now, log: this.#log });
    // A socket that is left open would keep the server from closing.
    this.closing.signal.addEventListener("abort", () => this.#signalling?.close());
    return introductions;
  }

  async #openSetup(directory: OpenDirectory, hasCorpus: boolean): Promise<void> {
    const { data } = this.#flags;
    const disk = diskOf(data);
    const parts = {
      ...{ directory: data, disk, errors: this.#log },
      text: await UploadedText.open(data, disk),
      log: await AuditLog.open(data),
      wallClock: Date.now,
      begin: async (settings: Parameters<OpenDirectory["begin"]>[0]) => {
        const run = await directory.begin(settings);
        await this.#serve(run, directory);
        this.#onRunCreated(run);
      },
    };
    this.#setup = await SetupService.open(parts, hasCorpus);
    this.#app = createApp(undefined, { ...this.#shared, setup: this.#setup });
  }
}

const diskOf = (directory: string): UploadDisk => ({
  async free() {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
  async write(file, bytes, offset) {
    let done = 0;
    while (done < bytes.length) {
      done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
    }
  },
});
