import { intermediaryLine } from "../../protocol/intermediary-line.ts";
import type { ProbeResult } from "../worker/device/probe.ts";
import type { Phase, Report } from "../worker/messages.ts";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const seconds = (ms: number): string => `${Math.max(1, Math.round(ms / 1_000))} s`;
const kilobytes = (bytes: number): string => `${number.format(bytes / 1_000)} kB`;

/** Turns reports into lines for a terminal; most reports are none. Keeps the last loss for the next line. */
export function lineTeller(): (report: Report) => string | undefined {
  let loss = "";
  let speed = "";
  let downloading = "";
  return (report) => {
    switch (report.type) {
      case "run":
        return `helping “${report.manifest.name}” (${number.format(report.manifest.parameters)} parameters), asked for by ${report.manifest.operator}`;
      case "device":
        return `training on ${report.device.device} (${report.device.detail}); tried ${report.probed.map(tried).join(", ")}`;
      case "step":
        loss = report.loss.toFixed(3);
        speed = number.format(report.tokensPerSecond);
        return undefined;
      case "sent":
        return `version ${report.version}: loss ${loss}, ${speed} tokens/s, sent ${kilobytes(report.bytes)}`;
      case "refused":
        return `the server refused: ${report.code} (${report.message})`;
      case "phase": {
        const { phase } = report;
        const what = phase.phase === "downloading" ? phase.what : "";
        const again = what !== "" && what === downloading;
        if (what !== "" || phase.phase === "training") downloading = what;
        return again ? undefined : lineOf(phase);
      }
      default:
        return undefined;
    }
  };
}

/** Nothing until the server has said how much there is. */
const sizeOf = (bytes: number): string => (Number.isFinite(bytes) ? `, ${kilobytes(bytes)}` : "");

function awayLine({ why, forMs }: Extract<Phase, { phase: "away" }>): string {
  const again = `trying again in ${seconds(forMs)}`;
  return why === undefined || why.kind === "unreachable"
    ? `the server is away, ${again}`
    : `${intermediaryLine(why)} (${again})`;
}

const tried = ({ device, engine, outcome }: ProbeResult): string =>
  "refused" in outcome
    ? `${device} ${engine}: ${outcome.refused}`
    : `${device} ${engine}: ${number.format(outcome.tokensPerSecond)} tokens/s`;

function lineOf(phase: Phase): string | undefined {
  switch (phase.phase) {
    case "downloading":
      return phase.what === "change" ? undefined : `downloading the ${phase.what}${sizeOf(phase.total)}`;
    case "waiting":
      return `no work just now, asking again in ${seconds(phase.forMs)}`;
    case "auditing":
      return "checking another volunteer's delta for the server";
    case "quarantined":
      return `a check found work from here bad: the server takes none for ${seconds(phase.forMs)}, then this goes on`;
    case "banned":
      return `the operator has banned this key; asking again in ${seconds(phase.forMs)}`;
    case "away":
      return awayLine(phase);
    case "paused":
      return "the operator paused the run, waiting";
    case "finished":
      return "the run is finished";
    case "unable":
      return `cannot help (${phase.why}): ${phase.detail}`;
    case "stopped":
      return "stopped";
    default:
      return undefined;
  }
}
