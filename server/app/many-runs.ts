import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import { isRunName, runPath } from "../../protocol/run-name.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { badName, runDirectory, runNamesIn } from "../data-dir/runs.ts";
import type { Assets } from "../http/assets.ts";
import { newReads } from "../http/read.ts";
import { ShareCards } from "../http/share-cards.ts";
import type { SharedReads } from "../http/shared-reads.ts";
import { UploadRoom } from "../http/upload-limiter.ts";
import type { Writer } from "../lib/io.ts";
import type { Turns } from "../lib/turns.ts";
import { takeBase, withoutBase } from "../net/base-path.ts";
import { MAX_UPLOAD_MEMORY } from "../net/limits.ts";
import type { Upgrades, Within } from "../net/listen.ts";
import { labelBelow } from "../net/place.ts";
import { pathOf } from "../net/target.ts";
import { Curves } from "../operator/curves.ts";
import type { Sessions } from "../operator/sessions.ts";
import type { Run } from "../run/run.ts";
import { App } from "./app.ts";
import { type OpenDirectory, openDirectory } from "./open-directory.ts";
import type { ProcessMeters } from "./operator.ts";
import type { ServeOptions } from "./serve-options.ts";
import type { Threads } from "./threads.ts";

/** Characters of the reason why a run is not served. */
const MAX_WHY = 500;

/** A run of several that is open: served, or waiting for its operator to make it. */
export interface OpenRun {
  readonly name: string;
  /** Its own host name, where the operator named a domain. */
  readonly host: string | undefined;
  readonly app: App;
  readonly directory: OpenDirectory;
  /** Undefined until it is made. */
  run: Run | undefined;
}

export interface ManyRunsParts {
  readonly flags: ServeOptions;
  readonly log: Logger;
  readonly assets: Assets;
  readonly meters: ProcessMeters;
  readonly threads: Threads;
  /** The sessions of the operator of all runs. */
  readonly overall: Sessions;
  readonly stderr: Writer;
  /** An error in words for the operator. */
  readonly explain: (error: unknown) => string;
  /** Hears of each run that is served from now on. */
  readonly begun?: (name: string, run: Run) => void;
}

/**
 * The runs in one directory, each with an app of its own that is served under its path and, where the operator named a
 * domain, by its host name. A run that cannot be opened is named, and the others are served.
 */
export class ManyRuns {
  readonly #parts: ManyRunsParts;
  readonly #open = new Map<string, OpenRun>();
  readonly #failed = new Map<string, string>();

  /** What the edges of all runs have together, so that more runs take no more memory of strangers' making. */
  readonly #shared: { uploadTurns: Turns; uploadRoom: UploadRoom; reads: SharedReads; cards: ShareCards };

  constructor(parts: ManyRunsParts) {
    this.#parts = parts;
    const uploadRoom = new UploadRoom(MAX_UPLOAD_MEMORY);
    const cards = new ShareCards(() => performance.now());
    this.#shared = { uploadTurns: parts.threads.uploads, uploadRoom, reads: newReads(), cards };
  }

  /** Those that are open, in alphabetical order. */
  get open(): readonly OpenRun[] {
    return [...this.#open.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Those that are not, by name, and why. */
  get failed(): ReadonlyMap<string, string> {
    return this.#failed;
  }

  /** Opens all runs of the directory, one after another. */
  async openAll(): Promise<void> {
    const { names, bad } = await runNamesIn(this.#parts.flags.data);
    for (const name of bad) this.#failed.set(name, badName(name));
    for (const name of names) await this.openOne(name);
  }

  /** Opens the run of that name; one that cannot be opened is among {@link failed}, with the reason. */
  async openOne(name: string): Promise<void> {
    const { log, explain } = this.#parts;
    this.#failed.delete(name);
    try {
      this.#open.set(name, await this.#opened(name));
    } catch (error) {
      log.error({ run: name, err: error }, "a run could not be opened");
      this.#failed.set(name, (explain(error).split("\n", 1)[0] ?? "").slice(0, MAX_WHY));
    }
  }

  /** Lets go of a run's directory, and forgets the run. */
  async closeOne(name: string): Promise<void> {
    const found = this.#open.get(name);
    this.#open.delete(name);
    this.#failed.delete(name);
    if (found !== undefined) await closeRun(found);
  }

  /** Lets time act on every run. */
  tick(): void {
    for (const { name, run } of this.#open.values()) {
      try {
        run?.tick();
      } catch (error) {
        this.#parts.log.error({ run: name, err: error }, "a run could not go on; the others do");
      }
    }
  }

  async close(): Promise<void> {
    const all = [...this.#open.keys()];
    await Promise.all(all.map((name) => this.closeOne(name)));
  }

  /** Ends the event streams, so that the server can close. */
  endStreams(): void {
    for (const { app } of this.#open.values()) app.closing.abort();
  }

  /** Which run a request is for, and its path below the server's base. */
  readonly within = (request: IncomingMessage): Within | undefined => {
    const found = this.#find(request, (request.url ?? "").split("?", 1)[0] ?? "");
    return found && { app: found.one.app, base: found.base };
  };

  readonly upgrades: Upgrades = {
    takes: (path, request) => {
      const found = this.#find(request, path);
      return found?.one.app.upgrades.takes(withoutBase(found.base, path), request) ?? false;
    },
    take: (request, socket, head) => {
      const found = this.#find(request, pathOf(request) ?? "");
      if (found === undefined) {
        socket.destroy();
        return;
      }
      takeBase(found.base, request);
      found.one.app.upgrades.take(request, socket, head);
    },
  };

  #find({ headers }: IncomingMessage, path: string): { one: OpenRun; base: string } | undefined {
    const { domain, proxies } = this.#parts.flags;
    const label =
      domain === undefined ? undefined : labelBelow(domain, (name) => headers[name]?.toString(), proxies);
    const name = label ?? /^\/r\/([^/]+)(?:\/|$)/.exec(path)?.[1];
    const one = isRunName(name) ? this.#open.get(name) : undefined;
    return one && { one, base: label === undefined ? runPath(one.name) : "" };
  }

  async #opened(name: string): Promise<OpenRun> {
    const { flags, assets, meters, threads, overall, stderr } = this.#parts;
    const data = runDirectory(flags.data, name);
    const log = this.#parts.log.child({ run: name });
    const curves = new Curves();
    const directory = await openDirectory(data, {
      ...{ log, stderr, threads, create: true },
      observe: (event, ended) => curves.observe(event, ended),
    });
    try {
      if (directory.corpus === undefined) throw new DirectoryError(`${data} holds other files and no run`);
      if (directory.run !== undefined) this.#requireNoTwin(directory.run);
      const host = flags.domain === undefined ? undefined : `${name}.${flags.domain}`;
      const place = { path: runPath(name), hostName: host };
      const app = new App({ ...flags, data }, log, {
        curves,
        assets,
        meters,
        among: { ...this.#shared, place, overall },
      });
      await app.move(directory);
      const one: OpenRun = { name, host, app, directory, run: directory.run };
      if (directory.run === undefined) void app.runCreated.then((run) => this.#begin(one, run));
      else this.#begin(one, directory.run);
      return one;
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  #begin(one: OpenRun, run: Run): void {
    one.run = run;
    const { log, begun } = this.#parts;
    run.deposed.addEventListener("abort", () => {
      log.error({ run: one.name }, "another server has taken a run over");
      void this.closeOne(one.name).then(() =>
        this.#failed.set(one.name, "another server has taken this run over"),
      );
    });
    begun?.(one.name, run);
  }

  /** A copied directory has the same run and key: its tickets and receipts would be good for both. */
  #requireNoTwin(run: Run): void {
    const { run: id, server } = run.manifest();
    for (const other of this.#open.values()) {
      const theirs = other.run?.manifest();
      if (theirs?.run === id || theirs?.server === server) {
        throw new DirectoryError(
          `this is a copy of the run ${other.name}: what was signed for one would be good for the other`,
        );
      }
    }
  }
}

async function closeRun({ app, directory }: OpenRun): Promise<void> {
  app.closing.abort();
  await app.close();
  await directory.close();
}
