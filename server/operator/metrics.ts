import { accuracyOf } from "../../protocol/answers.ts";
import { bitsPerByte } from "../../protocol/bits-per-byte.ts";
import type { Overview } from "../../protocol/operator.ts";
import { setbackOf } from "../../protocol/setback.ts";
import type { RunStatus } from "../../protocol/status.ts";
import type { WorkFigures } from "../lib/jobs.ts";
import { machineMetrics, roleMetric } from "./edge-metrics.ts";
import { Exposition } from "./exposition.ts";

/** What others do for the server. */
export interface Elsewhere {
  /** Bytes that volunteers say to have had from a mirror. */
  readonly mirror: { readonly mirrored: number } | undefined;
  /** What workers do, by task. */
  readonly work: Readonly<Record<string, WorkFigures>> | undefined;
  /** Whether the run is on a cluster, where others follow it. */
  readonly clustered: boolean;
}

/**
 * The run for a Prometheus, made when it is asked for. No label names a client, an address or anything else a
 * stranger chose: the series are as many on the first day as in a year.
 */
export function metricsOf(
  status: RunStatus,
  overview: Omit<Overview, "operator">,
  sent: Readonly<Record<string, number>> = {},
  { mirror, work, clustered = false }: Partial<Elsewhere> = {},
): string {
  const exposition = new Exposition("murmuration_");
  const metric = exposition.metric.bind(exposition);
  const tally = exposition.tally.bind(exposition);
  const { traffic, machine, here, draining } = overview;
  const last = status.heldOut.at(-1);
  const newest = overview.versions.at(-1);
  if (clustered) roleMetric(exposition, "leader");
  metric("running", "1 while the run gives work", status.state === "running" && !draining ? 1 : 0);
  metric("version", "The newest version", status.version);
  metric("tokens_merged_total", "Tokens merged since the run began", status.tokensMerged);
  metric("token_budget", "Tokens at which the run is finished", status.tokenBudget);
  metric("tokens_per_second", "Tokens merged a second, over the last minute", status.tokensPerSecond);
  metric("volunteers", "Volunteers of the last minute", status.volunteers);
  metric("deltas_merged_total", "Deltas merged since the run began", status.deltas.merged);
  if (last !== undefined) metric("held_out_loss", "Nats a token on text nobody trains on", last.loss);
  const bits = last && bitsPerByte(last.loss, status.bytesPerToken);
  if (bits !== undefined) metric("held_out_bits_per_byte", "Bits for a byte of text nobody trains on", bits);
  const { questions } = status;
  if (last?.right !== undefined && questions !== null) {
    const { accuracy, error } = accuracyOf(last.right, questions);
    metric("questions_right_ratio", "Of the questions that versions are asked, answered right", accuracy);
    metric("questions_right_ratio_error", "Its standard error", error);
    metric("questions_chance_ratio", "Of the questions, what guessing answers right", questions.chance);
  }
  const setback = setbackOf(status.heldOut, status.baselines.uniform);
  metric("getting_worse", "1 while held-out loss stays above its best, or above guessing", setback ? 1 : 0);
  if (newest !== undefined) {
    metric("volunteers_loss", "Nats a token, as the newest version's volunteers report", newest.loss);
    metric("version_seconds", "From the version before to the newest", newest.ms / 1_000);
  }
  roundMetrics(metric, status.rounds);
  tally("deltas_refused_total", "Deltas refused since the server started", "code", status.deltas.refused);
  tally("volunteers_by_backend", "Volunteers of the last minute", "backend", here.backend);
  tally("volunteers_by_browser", "Volunteers of the last minute", "browser", here.browser);
  tally(
    "deltas_by_staleness",
    "Deltas of the newest versions",
    "versions_late",
    Object.fromEntries(overview.staleness.entries()),
  );
  tally("audits_total", "Audits since the run began", "verdict", overview.audits);
  const { wrong, ...settled } = overview.sharedAudits;
  tally("shared_audits_total", "Audits by volunteers since the run began", "settled_by", settled);
  metric("wrong_audits_total", "Volunteers' measurements that were not true, since the run began", wrong);
  metric("bytes_received_total", "Bytes from all sockets since the server started", traffic.up);
  metric("bytes_sent_total", "Bytes to all sockets since the server started", traffic.down);
  tally("object_bytes_sent_total", "Bytes of bodies, since the server started", "kind", sent);
  if (mirror !== undefined) {
    const { mirrored } = mirror;
    const own = Object.values(sent).reduce((sum, bytes) => sum + bytes, 0);
    metric("mirror_bytes_total", "Bytes of bodies from the mirror, as volunteers say", mirrored);
    metric("own_bytes_ratio", "Of all object bytes, sent by this server", own / Math.max(1, own + mirrored));
  }
  if (work !== undefined) workMetrics(tally, work);
  machineMetrics(exposition, machine);
  metric("alerts", "Alerts that stand", overview.alerts.length);
  return exposition.text;
}

/** Of a run on a clock. */
function roundMetrics(metric: Exposition["metric"], rounds: RunStatus["rounds"]): void {
  if (rounds === null) return;
  const { ms, inner, batch, lately } = rounds;
  metric("round_seconds", "The open version's round", ms / 1_000);
  metric("muon_inside", "1 while tickets train with Muon, 0 with AdamW", inner === "muon" ? 1 : 0);
  metric("micro_batch_sequences", "Sequences of a ticket's steps", batch);
  if (lately === null) return;
  metric("steps_per_delta", "Inner steps, mean of the newest versions", lately.steps);
  metric("late_deltas_ratio", "Of the newest versions' deltas, made for an earlier one", lately.late);
  metric(
    "goodput_ratio",
    "Of the newest versions' time, spent in training as volunteers say",
    lately.goodput,
  );
  if (lately.crowd === null) return;
  metric("delta_cosine", "Mean between two deltas of the newest versions", lately.crowd.cosine);
  metric("one_more_volunteer_ratio", "What one more would add to a version", lately.crowd.oneMore);
}

/** Of a run with workers. */
function workMetrics(tally: Exposition["tally"], work: NonNullable<Elsewhere["work"]>): void {
  const of = (name: string, help: string, value: (figures: WorkFigures) => number) =>
    tally(
      name,
      help,
      "task",
      Object.fromEntries(Object.entries(work).map(([task, figures]) => [task, value(figures)])),
    );
  of("workers", "Workers that take such jobs now", ({ workers }) => workers);
  of("worker_jobs_done_total", "Jobs that workers did, since the server leads", ({ done }) => done);
  of("worker_jobs_left_total", "Jobs that no worker did in time", ({ left }) => left);
  of(
    "worker_failures_total",
    "Times that a worker was late, failed or answered nonsense",
    (one) => one.failures,
  );
  of("worker_wait_seconds_total", "Until a worker took what was done", ({ waitedMs }) => waitedMs / 1_000);
  of("worker_busy_seconds_total", "From then until it was done", ({ workedMs }) => workedMs / 1_000);
}
