import type { DeviceReport } from "../../model/contract/trainer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { intermediaryLine } from "../../protocol/intermediary-line.ts";
import { formatBytes, formatDuration } from "../ui/format.ts";
import type { ProbeResult } from "../worker/device/probe.ts";
import type { Phase } from "../worker/messages.ts";
import { DEVICE, DOWNLOADING, PAUSED, text, UNABLE } from "./strings.ts";

/** The loop's phase in a plain sentence. */
export function phaseLine(phase: Phase): string {
  switch (phase.phase) {
    case "starting":
      return "Starting…";
    case "probing":
      return `Trying this machine’s devices (${DEVICE[phase.trying]})…`;
    case "downloading":
      return `${DOWNLOADING[phase.what]}…`;
    case "queued":
      return "Waiting for the next piece of work.";
    case "training":
      return "Training on a passage…";
    case "auditing":
      return "Checking another visitor’s delta for the server…";
    case "sending":
      return `Sending your delta (${formatBytes(phase.bytes)})…`;
    case "waiting":
      return `No work right now. Asking again in ${formatDuration(phase.forMs)}.`;
    case "quarantined":
      return (
        "Your work failed a check, which can happen to honest work too. The server takes none of it " +
        `for ${formatDuration(phase.forMs)}; then training resumes by itself.`
      );
    case "banned":
      return (
        "The operator of this run has banned this browser, so the server takes no work from it. Only the operator can " +
        "undo that; ask them if you think it is a mistake."
      );
    case "away":
      return awayLine(phase);
    case "paused":
      return PAUSED[phase.why];
    case "finished":
      return "The run is finished, and so is the model. Thank you.";
    case "unable":
      return UNABLE[phase.why];
    case "stopped":
      return "Stopped. Nothing is running.";
  }
}

function awayLine({ why, forMs }: Extract<Phase, { phase: "away" }>): string {
  const again = formatDuration(forMs);
  if (why === undefined || why.kind === "unreachable") {
    return `The server does not answer. Trying again in ${again}; nothing is lost.`;
  }
  return `${intermediaryLine(why)} Trying again in ${again}; nothing is lost.`;
}

/**
 * The text for screen readers: the same for every round, so that they speak when something changed
 * for the visitor and not at each download.
 */
export function announcement(phase: Phase): string {
  switch (phase.phase) {
    case "queued":
    case "downloading":
    case "auditing":
    case "training":
    case "sending":
      return "Training.";
    case "starting":
    case "probing":
      return "Starting.";
    case "waiting":
      return "Waiting for work.";
    case "away":
      return phase.why === undefined
        ? "The server does not answer. Trying again."
        : intermediaryLine(phase.why);
    default:
      return phaseLine(phase);
  }
}

/** Where the training runs, e.g. "WebGPU · SwiftShader (software)". */
export function deviceLine({ device, detail, software }: DeviceReport): string {
  const kind = software ? `${DEVICE[device]} (software, on the CPU)` : DEVICE[device];
  return detail === "" ? kind : `${kind} · ${detail}`;
}

/** One line of the probe, e.g. "WebGL: refused, wrong gradient". */
export function probeLine({ device, engine, outcome }: ProbeResult): string {
  const name = engine === "tfjs" ? `${DEVICE[device]} (tfjs)` : DEVICE[device];
  return "refused" in outcome
    ? `${name}: ${outcome.refused}`
    : `${name}: ${text.speed(outcome.tokensPerSecond)}`;
}

/** Why the server did not take a delta, for the volunteer who made it. */
export function refusedLine(code: ErrorCode): string {
  return `Your last work was not taken: ${refusalReason(code)}.`;
}

/** The reason as part of a sentence; a code where a visitor could do nothing with more words. */
export function refusalReason(code: ErrorCode): string {
  switch (code) {
    case "stale":
      return "it came too late: the model had moved on. It is kept for your next delta";
    case "lease-expired":
      return "it came after its deadline, and its text was given to someone else";
    case "ticket-used":
      return "it had been sent before";
    case "not-finite":
      return "the training on this device produced invalid numbers (NaN)";
    case "norm-too-large":
      return "it would have changed the model more than training can";
    case "run-paused":
      return "the operator has paused the run";
    case "quarantined":
      return "earlier work from this browser failed a check, and nothing is taken for a while";
    case "banned":
      return "the operator has banned this browser";
    default:
      return `the server says “${code}”`;
  }
}
