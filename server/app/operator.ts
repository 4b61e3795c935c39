import type { AppOptions } from "../http/app.ts";
import type { Log } from "../lib/log.ts";
import { sleepFor } from "../lib/sleep.ts";
import { AuditLog } from "../operator/audit-log.ts";
import type { Curves } from "../operator/curves.ts";
import { HostStats, LoopDelay } from "../operator/host-stats.ts";
import { type Elsewhere, metricsOf } from "../operator/metrics.ts";
import { OperatorService } from "../operator/operator-service.ts";
import { Presence } from "../operator/presence.ts";
import { Sites } from "../operator/sites.ts";
import { Speeds } from "../operator/speeds.ts";
import { Traffic } from "../operator/traffic.ts";
import { Webhook } from "../operator/webhook.ts";
import type { Run } from "../run/run.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What is measured of the process, once for all its runs. */
export interface ProcessMeters {
  readonly delay: LoopDelay;
  readonly traffic: Traffic;
}

export const openMeters = (): ProcessMeters => ({
  delay: new LoopDelay(),
  traffic: new Traffic(() => performance.now()),
});

/** An operator's view of a served run, and where it plugs into the sockets and the edge. */
export interface OperatorView {
  readonly log: AuditLog;
  readonly edge: Pick<
    AppOptions,
    "asked" | "tokensOf" | "sent" | "mirrored" | "operator" | "metrics" | "speeds"
  >;
  close(): Promise<void>;
}

/** Begins to look after a run. */
export async function openOperatorView(
  run: Run,
  curves: Curves,
  {
    data: directory,
    alertUrl,
    embedOn,
    mirror,
    cluster,
  }: Pick<ServeOptions, "data" | "alertUrl" | "embedOn" | "mirror" | "cluster">,
  log: Log,
  { delay, traffic, work }: ProcessMeters & { work(): Elsewhere["work"] },
): Promise<OperatorView> {
  const clock = () => performance.now();
  const presence = new Presence(clock);
  const sites = await Sites.open(directory, embedOn, clock);
  const speeds = await Speeds.open(directory, Date.now);
  const sent = { snapshots: 0, diffs: 0, shards: 0 };
  let mirrored = 0;
  const actions = await AuditLog.open(directory);
  // What asks a cluster is loaded by who has one.
  const watch =
    cluster &&
    new ClusterWatch(async (signal) => (await import("./cluster-look.ts")).lookAtCluster(cluster, signal));
  const service = new OperatorService({
    ...{ run, directory, presence, curves, sites, speeds, traffic },
    machine: new HostStats(directory, delay),
    log: actions,
    webhook: alertUrl && new Webhook(alertUrl, log),
    cluster: watch,
    errors: log,
    wallClock: Date.now,
  });
  curves.onAccepted = (volunteer, report) => presence.trained(volunteer, report);
  curves.onEvent = (event, ended) => sites.observe(event, ended);
  curves.refused = () => run.volunteers.refused;
  run.volunteers.witness = {
    seen: (volunteer) => presence.seen(volunteer),
    forget(volunteer) {
      presence.forget(volunteer);
      sites.forget(volunteer);
    },
  };
  service.open();
  watch?.run(sleepFor).catch(() => {});
  return {
    log: actions,
    edge: {
      asked(volunteer, userAgent, site) {
        presence.asked(volunteer, userAgent);
        sites.asked(volunteer, site);
      },
      tokensOf: (origin) => sites.tokensOf(origin),
      sent: (kind, bytes) => {
        sent[kind] += bytes;
      },
      mirrored: (bytes) => {
        mirrored += bytes;
      },
      operator: service,
      speeds,
      metrics: {
        text: async () =>
          metricsOf(run.status(), await service.overview(), sent, {
            mirror: mirror && { mirrored },
            work: work(),
            clustered: cluster !== undefined,
          }),
        token: process.env.METRICS_TOKEN,
      },
    },
    async close() {
      service.close();
      watch?.close();
      await sites.save().catch((error: unknown) => log.error({ err: error }, "sites.json was not written"));
      await speeds.save().catch((error: unknown) => log.error({ err: error }, "speeds.json was not written"));
    },
  };
}
