import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import type { CrowdJob, Outcome, Point, SwarmJob, SyncJob } from "./job.ts";
import { plot, type Series } from "./plot.ts";

const FOLDER = join(import.meta.dirname, "../results");

/** The runs that an earlier bench of this name wrote. */
export function readRuns(name: string): Outcome[] {
  const file = join(FOLDER, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).runs : [];
}

/** Writes tables, the runs behind them and plots, with the commit that made them; returns the files. */
export function writeResults(
  name: string,
  tables: Readonly<Record<string, readonly object[]>>,
  runs: readonly Outcome[],
): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const written: string[] = [];
  const write = (file: string, content: string) => {
    writeFileSync(join(FOLDER, file), content);
    written.push(relative(process.cwd(), join(FOLDER, file)));
  };
  const made = { commit: commit(), node: process.version, processor: cpus()[0]?.model ?? "unknown" };
  write(`${name}.json`, `${JSON.stringify({ ...made, ...tables, runs })}\n`);
  for (const { id, title, against, x } of PLOTS) {
    const models = Map.groupBy(runs.filter(isOfTables), ({ job }) => job.model);
    for (const [model, ofModel] of models) {
      const axes = { title: `Model ${model}: ${title}`, x, y: Y };
      write(`${name}-${model}-${id}.svg`, plot(axes, seriesOf(ofModel, against)));
    }
  }
  for (const [about, ofRecipe] of Map.groupBy(runs.filter(isOfCrowds), ({ job }) => crowdOf(job))) {
    const inOrder = ofRecipe.toSorted((a, b) => a.job.volunteers - b.job.volunteers);
    const series = seriesOf(inOrder, (point) => point.ms / 1_000);
    const axes = { title: `Model ${about.replaceAll("-", ", ")}: loss against virtual time`, x: X, y: Y };
    write(`${name}-${about}.svg`, plot(axes, series));
  }
  return written;
}

const X = "virtual seconds";
const Y = "held-out loss, nats a byte";

/** What one plot of crowds shows: a model, a recipe and a scenario. */
const crowdOf = ({ model, recipe, scenario }: CrowdJob): string => [model, recipe, scenario].join("-");

const isOfCrowds = (run: Outcome): run is Outcome<CrowdJob> => run.job.kind === "crowd";
const isOfTables = (run: Outcome): run is Outcome<SwarmJob | SyncJob> =>
  run.job.kind === "swarm" || run.job.kind === "sync";

const PLOTS = [
  {
    id: "tokens",
    title: "loss against tokens",
    x: "tokens merged",
    against: (point: Point) => point.tokens,
  },
  {
    id: "bytes",
    title: "loss against traffic",
    x: "bytes sent and received, all volunteers",
    against: (point: Point) => point.bytesUp + point.bytesDown,
  },
  {
    id: "clock",
    title: "loss against virtual time",
    x: X,
    against: (point: Point) => point.ms / 1_000,
  },
] as const;

/** The first seed's curve of every kind of run: one seed, because seeds' versions fall on different tokens. */
function seriesOf(runs: readonly Outcome<Plotted>[], against: (point: Point) => number): Series[] {
  const series = new Map<string, Series>();
  for (const { job, curve } of runs) {
    const name = nameOf(job);
    if (series.has(name)) continue;
    series.set(name, { name, points: curve.map((point) => [against(point), point.loss] as const) });
  }
  return [...series.values()];
}

type Plotted = SwarmJob | SyncJob | CrowdJob;

function nameOf(job: Plotted): string {
  if (job.kind === "sync") return `synchronous ${job.optimizer === "muon" ? "Muon" : "AdamW"}`;
  if (job.volunteers !== undefined) return `${job.volunteers} volunteer${job.volunteers === 1 ? "" : "s"}`;
  return job.recipe === "default" ? job.scenario : `${job.scenario}, ${job.recipe}`;
}

/** The commit checked out, with a mark where files differ from it. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  return `${git("rev-parse", "HEAD")}${changed ? " with changes" : ""}`;
}
