import { messageOf } from "../../model/lib/message-of.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { Stopped } from "./control.ts";
import type { LoopDeps } from "./deps.ts";
import { NoDevice } from "./device/trainers.ts";
import { joinRun } from "./join.ts";
import type { UnableReason } from "./messages.ts";

/** Why the loop ended; its last phase has told the visitor. */
export type LoopEnd = "finished" | "stopped" | "unable";

/**
 * A volunteer's work from its first request to its last: joins the run, takes ticket after ticket, waits out
 * a server that is away, and starts over when another run has taken the server's place. Never rejects: every
 * end is a phase.
 */
export async function volunteer(deps: LoopDeps): Promise<LoopEnd> {
  const { control } = deps;
  try {
    for (;;) await joinRun(deps);
  } catch (error) {
    if (error instanceof Stopped) {
      control.enter({ phase: "stopped" });
      return "stopped";
    }
    if (error instanceof ProtocolError && error.code === "run-finished") {
      control.enter({ phase: "finished" });
      return "finished";
    }
    const detail = messageOf(error);
    control.enter({ phase: "unable", why: reasonOf(error), detail });
    return "unable";
  }
}

function reasonOf(error: unknown): UnableReason {
  if (error instanceof NoDevice) return "no-device";
  if (error instanceof ProtocolError && error.code === "protocol-mismatch") return "protocol";
  return "failed";
}
