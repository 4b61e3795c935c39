import type { DeviceReport } from "../../model/contract/trainer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { common } from "../ui/strings.ts";
import type { ProbeResult } from "../worker/device/probe.ts";
import type { Phase } from "../worker/messages.ts";
import { codedKind, refusalKind } from "./strings/refusal-kinds.ts";
import { text } from "./strings.ts";

/** The loop's phase in a plain sentence. */
export function phaseLine(phase: Phase): string {
  switch (phase.phase) {
    case "probing":
      return text.phase.probing(text.device[phase.trying]);
    case "downloading":
      return text.downloading[phase.what];
    case "sending":
      return text.phase.sending(phase.bytes);
    case "waiting":
    case "quarantined":
      return text.phase[phase.phase](phase.forMs);
    case "away":
      return awayLine(phase);
    case "paused":
      return text.paused[phase.why];
    case "unable":
      return phase.why === "protocol" ? common.mismatch : text.unable[phase.why];
    default:
      return text.phase[phase.phase];
  }
}

function awayLine({ why, forMs }: Extract<Phase, { phase: "away" }>): string {
  const isKnown = why !== undefined && why.kind !== "unreachable";
  return text.phase.away(isKnown ? common.intermediary(why) : text.noAnswer, forMs);
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
      return text.spoken.training;
    case "starting":
    case "probing":
      return text.spoken.starting;
    case "waiting":
      return text.spoken.waiting;
    case "away":
      return phase.why === undefined ? text.spoken.away : common.intermediary(phase.why);
    default:
      return phaseLine(phase);
  }
}

/** Where the training runs, e.g. "WebGPU · SwiftShader (software)". */
export function deviceLine({ device, detail, software }: DeviceReport): string {
  const name = text.device[device];
  const kind = software ? text.software(name) : name;
  return detail === "" ? kind : `${kind} · ${detail}`;
}

/** One line of the probe, e.g. "WebGL: refused, wrong gradient". The reason is for developers, in English. */
export function probeLine({ device, engine, outcome }: ProbeResult): string {
  const name = engine === "tfjs" ? `${text.device[device]} (tfjs)` : text.device[device];
  return "refused" in outcome
    ? `${name}: ${outcome.refused}`
    : `${name}: ${text.speed(outcome.tokensPerSecond)}`;
}

/** Why the server did not take a delta, for the volunteer who made it. */
export const refusedLine = (code: ErrorCode): string => text.refusedWork(refusalReason(code));

/** The reason as part of a sentence; with the code where a visitor could do nothing with more words. */
export function refusalReason(code: ErrorCode): string {
  const kind = refusalKind(code);
  return kind === undefined ? text.refusalByCode[codedKind(code)](code) : text.refusal[kind];
}
