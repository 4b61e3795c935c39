import { ProtocolError } from "../../protocol/errors.ts";
import type { OperatorAction, Overview } from "../../protocol/operator.ts";
import { MAX_ENLISTED } from "../../protocol/roster.ts";
import { type ExportedModel, exportOf } from "../export/model.ts";
import type { Log } from "../lib/log.ts";
import type { Run } from "../run/run.ts";
import { SettingsError } from "../run/settings.ts";
import { type Alert, alertsOf } from "./alerts.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Curves } from "./curves.ts";
import type { HostStats } from "./host-stats.ts";
import { redeemLink } from "./link.ts";
import type { OperatorPort } from "./ports.ts";
import type { Presence } from "./presence.ts";
import type { Session } from "./sessions.ts";
import type { Sites } from "./sites.ts";
import type { Speeds } from "./speeds.ts";
import type { Traffic } from "./traffic.ts";
import type { Webhook } from "./webhook.ts";

/** Milliseconds between two checks for alerts, and between two samples of the traffic. */
const LOOK_MS = 10_000;
/** Characters of a card that the log shows. */
const MAX_SHOWN = 1_500;
/** Looks that a spike of refusals is counted over. */
const SPIKE_LOOKS = 30;

export interface OperatorServiceParts {
  readonly run: Run;
  readonly directory: string;
  readonly presence: Presence;
  readonly curves: Curves;
  readonly sites: Sites;
  readonly speeds: Speeds;
  readonly traffic: Traffic;
  readonly machine: HostStats;
  readonly log: AuditLog;
  readonly webhook: Webhook | undefined;
  /** What is wrong with the run's cluster, where it is on one. */
  readonly cluster?: { readonly alerts: readonly Alert[] } | undefined;
  readonly errors: Pick<Log, "warn">;
  /** The wall clock, for links and the log. */
  readonly wallClock: () => number;
}

/** All that an operator sees of a run and does to it. */
export class OperatorService implements OperatorPort {
  readonly #parts: OperatorServiceParts;
  #alerts: readonly Alert[] = [];
  #counts: readonly { readonly merged: number; readonly refused: ReadonlyMap<string, number> }[] = [];
  #looking: NodeJS.Timeout | undefined;
  /** By the last request of an operator's page. */
  #madeUp = false;

  constructor(parts: OperatorServiceParts) {
    this.#parts = parts;
  }

  /** Begins to look after the run by itself. */
  open(): void {
    // No caller waits for a look, so a disk that fails must not end the process: the next look tries again.
    const look = () =>
      void this.look().catch((error: unknown) =>
        this.#parts.errors.warn({ err: error }, "an operator's view of the run could not be updated"),
      );
    this.#looking = setInterval(look, LOOK_MS).unref();
    look();
  }

  close(): void {
    clearInterval(this.#looking);
  }

  redeem(link: string): Promise<string | undefined> {
    return redeemLink(this.#parts.directory, link, this.#parts.wallClock());
  }

  model(): ExportedModel {
    return exportOf(this.#parts.run);
  }

  async overview(madeUp = this.#madeUp): Promise<Omit<Overview, "operator"> & { readonly operator: "" }> {
    const { run, presence, curves, sites, traffic, machine, log } = this.#parts;
    this.#madeUp = madeUp;
    return {
      operator: "",
      state: run.manifest().state,
      draining: run.admin.draining,
      completions: run.completions.on,
      here: presence.here(),
      volunteers: run.volunteers
        .roster(presence.seenLast(MAX_ENLISTED))
        .map((known) => ({ ...known, ...presence.detailsOf(known.volunteer) })),
      staleness: curves.staleness,
      audits: curves.audits,
      sharedAudits: curves.sharedAudits,
      versions: curves.versions,
      heldOut: curves.heldOut,
      traffic: traffic.read(),
      machine: await machine.read(),
      snapshots: run.admin.snapshots,
      tuning: run.admin.tuning,
      sites: sites.read(),
      log: log.entries,
      alerts: this.#alerts.map(({ message }) => message),
    };
  }

  async act(action: OperatorAction, { name }: Session): Promise<void> {
    const { log, wallClock } = this.#parts;
    await this.#do(action);
    await log.add({ at: new Date(wallClock()).toISOString(), who: name, action: describe(action) });
  }

  async #do(action: OperatorAction): Promise<void> {
    const { run, speeds } = this.#parts;
    switch (action.action) {
      case "take-speeds":
      case "refuse-speeds":
        speeds.take(action.action === "take-speeds");
        return speeds.save();
      case "forget-speeds":
        speeds.forget();
        return speeds.save();
      case "start":
        return run.admin.resume();
      case "pause":
        return run.admin.pause();
      case "drain":
        return run.admin.drain();
      case "finish":
        return run.admin.finish();
      case "completions":
        return run.completions.set(action.on);
      case "describe":
        return run.admin.describe(action.card);
      case "rollback":
        return run.admin.rollback(action.version);
      case "ban":
        return run.admin.ban(action.volunteer);
      case "forgive":
        return run.admin.forgive(action.volunteer);
      case "tune":
        return run.admin.tune(action.changes).catch((error: unknown) => {
          if (error instanceof SettingsError) throw new ProtocolError("bad-request", error.message);
          throw error;
        });
    }
  }

  /** Looks at whether something is wrong, and tells the webhook what began or is over. */
  async look(): Promise<void> {
    const { run, traffic, machine, webhook, sites, speeds } = this.#parts;
    traffic.mark();
    await sites.save().catch(() => {}); // a full disk has an alert of its own; the next look tries again
    await speeds.save().catch(() => {});
    const status = run.status();
    const { merged } = status.deltas;
    const [before = { merged }] = this.#counts;
    this.#counts = [...this.#counts, { merged, refused: run.volunteers.refusedOfKnown() }].slice(
      -SPIKE_LOOKS,
    );
    const refused = new Map<string, number>();
    for (const [sender, times] of this.#counts.flatMap((look) => [...look.refused])) {
      refused.set(sender, (refused.get(sender) ?? 0) + times);
    }
    const { disk } = await machine.read();
    const own = alertsOf({
      state: status.state,
      waitedMs: run.waitedMs,
      heldOut: status.heldOut,
      uniform: status.baselines.uniform,
      lately: { merged: merged - before.merged, refused },
      freeBytes: disk.freeBytes,
      madeUp: this.#madeUp,
    });
    this.#alerts = [...own, ...(this.#parts.cluster?.alerts ?? [])];
    await webhook?.tell(status.name, this.#alerts);
  }
}

/** An action in the log's words. */
function describe(action: OperatorAction): string {
  switch (action.action) {
    case "tune":
      return `tune ${Object.entries(action.changes)
        .map(([key, value]) => `${key}=${value}`)
        .join(" ")}`;
    case "completions":
      return `completions ${action.on ? "on" : "off"}`;
    case "describe":
      return `describe the run: ${JSON.stringify(action.card).slice(0, MAX_SHOWN)}`;
    case "rollback":
      return `rollback to version ${action.version}`;
    case "ban":
    case "forgive":
      return `${action.action} ${action.volunteer}`;
    default:
      return action.action;
  }
}
