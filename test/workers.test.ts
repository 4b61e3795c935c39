/** Workers of a run on a cluster: real messages of a real nats-server, and worker processes that are killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openCluster } from "../server/app/cluster.ts";
import { measuringData, measuringThreads } from "../server/app/language-evaluator.ts";
import { openDirectory } from "../server/app/open-directory.ts";
import { openCorpus } from "../server/app/run-corpus.ts";
import { addCorpus } from "../server/corpus/add.ts";
import type { JobLine } from "../server/lib/jobs.ts";
import { languageTask } from "../server/run/language-task.ts";
import { parseSettings } from "../server/run/settings.ts";
import type { ClusterStore } from "../server/store/followed-store.ts";
import { natsJobs } from "../server/store/nats-jobs.ts";
import { verify } from "../server/verify/verify.ts";
import { fetchPieces, servePieces } from "../server/workers/pieces.ts";
import { decodeSaid } from "../server/workers/said.ts";
import { prose, temporary } from "./corpus-fixture.ts";
import { NatsCluster } from "./harness/nats-cluster.ts";
import { natsServer } from "./harness/nats-server.ts";
import { publishSmall } from "./harness/small-version.ts";
import { silentLog, TestVolunteer } from "./harness/tiny-run.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 90_000 });
const program = natsServer();
const PROGRAM = join(import.meta.dirname, "../bin/murmuration.ts");
const settings = parseSettings({
  // Matrices that are worth the way to a worker, and more of them than the leader has threads.
  model: { layers: 2, heads: 2, width: 128, context: 16 },
  outer: { kind: "muon", rate: 1, momentum: 0.5 },
  trust: { auditShare: 0 }, // deltas are made up
  evaluateWindows: 4,
  ...{ batch: 1, rounds: { seconds: 0.1, batch: 1 }, steps: 1, warmupTokens: 0, quorum: 1 },
});

describe.skipIf(program === undefined)("workers, one node", () => {
  let cluster: NatsCluster;
  const workers: ChildProcess[] = [];
  beforeAll(async () => {
    cluster = await NatsCluster.start(program ?? "", 1);
  });
  afterAll(async () => {
    for (const worker of workers) worker.kill("SIGKILL");
    await cluster?.stop();
  });

  /** A worker's process, once it takes jobs. */
  async function worker(data: string, key: string): Promise<ChildProcess> {
    const address = `nats://${cluster.addresses.join(",")}`;
    const flags = ["--cluster", address, "--key", key, "--data", data, "--unsafe"];
    const child = spawn(process.execPath, [PROGRAM, "worker", ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    workers.push(child);
    await once(createInterface({ input: child.stdout }), "line");
    return child;
  }

  test("messages: one job at a time for each who takes them, and word at once where nobody does", async () => {
    const connections = await Promise.all([1, 2, 3].map(() => cluster.connect()));
    const [leader, one, two] = connections.map((connection) => natsJobs({ connection, name: "JOBS" }));
    const flushed = () => Promise.all(connections.map((connection) => connection.flush()));
    const ends: (() => void)[] = [];
    const heard: string[] = [];
    const ask = (job: string) =>
      leader!.ask("sum.1", Buffer.from(job), (said) =>
        heard.push(said === "nobody" ? `${job}: nobody` : Buffer.from(said).toString()),
      );
    ask("0");
    await vi.waitFor(() => expect(heard).toEqual(["0: nobody"]));
    const stops = [one!, two!].map((line, i) =>
      line.take("sum.1", async (job, say) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        ends.push(resolve);
        say(Buffer.from(`${Buffer.from(job)} by ${i}`));
        await promise;
      }),
    );
    await flushed();
    for (const job of ["1", "2"]) ask(job);
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(
      heard
        .map((line) => line.slice(-1))
        .slice(1)
        .sort(),
      "each of the two has one",
    ).toEqual(["0", "1"]);
    ask("3");
    await vi.waitFor(() => expect(heard.at(-1)).toBe("3: nobody"));
    for (const end of ends) end();
    await vi.waitFor(async () => {
      ask("4");
      await flushed();
      expect(heard.some((line) => line.startsWith("4 by"))).toBe(true);
    });
    for (const end of ends) end();
    const told: string[] = [];
    leader!.listen((message) => told.push(Buffer.from(message).toString()));
    await flushed();
    one!.tell(Buffer.from("here"));
    await vi.waitFor(() => expect(told).toEqual(["here"]));
    for (const stop of stops) stop();
    // What is too long for a message comes in pieces, from an address that only its reader knows.
    const long = new Uint8Array(9_000_001).map((_, i) => i % 251);
    const served = servePieces(one!, long);
    await flushed();
    expect(Buffer.compare(await fetchPieces(leader!, served.address, long.length), long)).toBe(0);
    await expect(fetchPieces(leader!, served.address, long.length + 1), "beyond its end").rejects.toThrow();
    await expect(leader!.request("$JS.API.INFO", new Uint8Array(), 1_000)).rejects.toThrow(/no address/);
    served.stop();
    await flushed();
    await expect(fetchPieces(leader!, served.address, 9)).rejects.toThrow();
    expect(leader!.maxBytes).toBeGreaterThan(7_000_000);
    await Promise.all(connections.map((connection) => connection.close()));
    ends.at(-1)?.(); // a worker that ends its job when its connection is gone
  });

  test("workers merge and evaluate a run's versions; one is killed in the middle of each, and the bytes and the loss are the same", async () => {
    await using directory = await temporary();
    const [data, key] = [join(directory.path, "data"), join(directory.path, "server.key")];
    await writeFile(join(directory.path, "first.txt"), prose(20_000));
    await addCorpus({
      files: [join(directory.path, "first.txt")],
      dataDir: data,
      vocabulary: 256,
      context: 16,
    });
    const address = { address: `nats://${cluster.addresses.join(",")}`, key, unsafe: true };
    /**
     * What workers said, each by its process. The first that takes an evaluation is killed while it is at it, and the first that
     * takes another matrix than its first, which the leader makes too.
     */
    const said: string[] = [];
    const killed = new Map<string, number>();
    const watched = (line: JobLine): JobLine => ({
      ...line,
      maxBytes: line.maxBytes,
      ask: (kind, job, heard) => {
        let pid = 0;
        const task = kind.slice(0, kind.indexOf("."));
        return line.ask(kind, job, (message) => {
          const word = message === "nobody" ? undefined : decodeSaid(message);
          if (word?.type === "taken") {
            pid = Number(word.who.split(":").at(-2));
            if (!killed.has(task) && (task === "evaluations" || said.includes(`last ${pid} ${task}`))) {
              killed.set(task, pid);
              process.kill(pid, "SIGKILL");
            }
          }
          if (killed.get(task) === pid && word?.type === "last") return; // it was quicker than the signal
          if (word !== undefined) said.push(`${word.type} ${pid} ${task}`);
          heard(message);
        });
      },
    });
    let store: ClusterStore | undefined;
    let jobs: JobLine | undefined;
    const opened = await openDirectory(data, {
      ...{ settings, log: silentLog, stderr: { write() {} } },
      openStore: async (where) => {
        store = await openCluster(where, address);
        jobs = watched(store.jobs);
        return store;
      },
      jobs: () => jobs,
    });
    const run = opened.run ?? expect.fail("there is no run");
    const measured = (version: number) => run.status().heldOut.find((point) => point.version === version);
    await vi.waitFor(() => expect(measured(0)).toBeDefined(), 90_000); // by itself: there is no worker yet
    expect(said).toEqual([]);
    const pids = (await Promise.all([1, 2, 3].map(() => worker(data, key)))).map(({ pid }) => pid);
    await vi.waitFor(() => expect(opened.work()?.merges?.workers).toBe(3), 10_000);

    const volunteer = await TestVolunteer.create();
    // A busy machine's leader may be quicker with every matrix of a version.
    let version = 0;
    const survived = () =>
      said.findLastIndex((line) => /^last \d+ merges$/.test(line)) >
      said.indexOf(`taken ${killed.get("merges")} merges`);
    for (; version < 2 || !killed.has("merges") || !survived(); version++) await publishSmall(run, volunteer);
    await vi.waitFor(() => expect(measured(version)).toBeDefined(), 90_000);
    expect([...killed.keys()].toSorted()).toEqual(["evaluations", "merges"]);
    for (const pid of killed.values()) expect(pids).toContain(pid);
    expect(said).not.toContain(`last ${killed.get("evaluations")} evaluations`);
    const failures = () => opened.work()?.merges?.failures;
    await vi.waitFor(() => expect(failures(), "the one that was killed").toBeGreaterThan(0), 20_000);
    const corpus = await openCorpus(data);
    const { evaluator, auditor } = measuringThreads(measuringData(corpus, [], () => settings));
    const weights = languageTask(settings, corpus.corpus.vocabulary).decode(run.latestSnapshot().bytes);
    const own = await evaluator.evaluate(version, weights);
    expect(measured(version)?.loss).toBe(own.loss);
    const verified = await verify(store ?? expect.fail(), corpus.corpus, languageTask);
    expect(verified, "merged again here alone").toMatchObject({ from: 0, version, frames: version });
    await Promise.all([evaluator.close(), auditor.close(), opened.close()]);
  });
});
