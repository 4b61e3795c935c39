import { ModelError } from "../../model/contract/config.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { AuditTicket } from "../../protocol/shared-audit.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { KEYS } from "../cache/entries.ts";
import { WrongBytes } from "../transport/away.ts";
import { creditTeller } from "./credit-teller.ts";
import type { RoundDeps } from "./deps.ts";
import { LocalState } from "./local-state.ts";
import type { Phase } from "./messages.ts";
import { catchUp, fetcher, take, takeAhead, type Work } from "./prefetch.ts";
import { refusedAtHome, train } from "./train.ts";
import { UploadInFlight } from "./upload-in-flight.ts";
import type { Waits } from "./waits.ts";

/** Milliseconds between two writes of replica, moments and residual to disk; they are also written at the end. */
const SAVE_EVERY_MS = 20_000;
/** Tickets in a row that may fail on data no device can take, before the loop gives up. */
const MAX_FAILURES = 4;

const AT_REST: ReadonlySet<Phase["phase"]> = new Set(["away", "paused", "quarantined", "banned"]);

/** Ticket after ticket. Returns when the server has another run. */
export async function workOn(round: RoundDeps, waits: Waits): Promise<void> {
  const { cache, manifest, control, clock, trainers, replica, throughput, report } = round;
  const { parameters, residualDecay: decay } = manifest;
  const credit = creditTeller(round);
  if ((await cache.get(KEYS.pending)) !== undefined) {
    const part = await import("./resume-upload.ts").catch(() => undefined);
    // Missing: as if the server had been away all the time.
    await (part?.resumeUpload(round) ??
      cache.write({ [KEYS.pending]: undefined, [KEYS.residual]: undefined }));
  }
  const localState = new LocalState({ cache, parameters, decay, codec: manifest.delta });
  const save = async () => {
    await replica.save();
    await localState.save();
  };
  const fetchAhead = fetcher(round);
  const { openAuditor } = round;
  const auditing =
    openAuditor &&
    (async (audit: AuditTicket) => {
      const part = await import("./audit.ts").catch(() => undefined); // missing: left to others
      await part?.makeAudit(round, openAuditor, audit);
    });
  let saved = clock();
  let failures = 0;
  let measured: Ticket["inner"];
  let ahead: Promise<Work | undefined> | undefined;
  let upload: UploadInFlight | undefined;
  /** Waits for the upload that is on its way. True unless the server did not take it. */
  const land = async (): Promise<boolean> => {
    const answer = await upload?.land(localState);
    upload = undefined;
    if (answer === "taken") waits.reset();
    if (answer instanceof ProtocolError && answer.code === "run-finished") ahead = undefined;
    return answer === undefined || answer === "taken";
  };
  try {
    for (;;) {
      await control.checkpoint();
      try {
        // A visitor who was shown that the server is away, or at rest, sees it until there is work again.
        if (!AT_REST.has(control.phase)) control.enter({ phase: "queued" });
        const early = await ahead;
        ahead = undefined;
        const work = early ?? (await take(round, auditing));
        if (work === undefined) return;
        // On a clock nobody trains ahead: a delta that begins without the last one is worth less than the wait.
        const overlaps = work.ticket.trainFor === undefined && throughput.overlaps;
        let taken = true;
        const left = (ms: number) => {
          if (overlaps && ms <= throughput.lead) ahead ??= takeAhead(round, upload?.answered);
          if (ahead === undefined) fetchAhead();
        };
        const done = await train(round, localState, work, left);
        if (done !== undefined) {
          upload = await UploadInFlight.launch(round, localState, work, done, async () => {
            taken = await land();
          });
          if (!overlaps) taken = await land();
        }
        failures = 0;
        if (done === undefined || !taken) await waits.rest();
        const { inner } = work.ticket; // named on a clock alone, where the server chooses the micro-batch
        if (done !== undefined && inner !== measured) {
          measured = inner;
          const part = await import("./batch-speeds.ts").catch(() => undefined); // missing: the crowd's size will do
          await part?.measureSpeeds(round, localState, work, done.trainMs / done.steps);
        }
        if (clock() - saved >= SAVE_EVERY_MS) {
          await save();
          saved = clock();
        }
        await credit();
      } catch (error) {
        if (error instanceof ModelError) {
          if (error.code === "not-finite") {
            const { code, message } = refusedAtHome(error);
            report({ type: "refused", code, message });
          } else if (++failures > MAX_FAILURES) throw error;
          if (error.code.startsWith("device-")) trainers.lost(error);
          else await localState.forget(); // numbers that no device takes: start from nothing on the next ticket
          await land();
          await waits.rest();
          continue;
        }
        // State that led to refused work is dropped: whatever the cause, the next ticket starts without it.
        if (error instanceof ProtocolError && error.code === "quarantined") await localState.forget();
        await waits.waitOut(error);
        // The version that the ticket names may be gone, or our way to it: begin at the newest one.
        if (error instanceof WrongBytes || (error instanceof ProtocolError && error.code === "not-found")) {
          if (!(await catchUp(round, waits))) return;
        }
      }
    }
  } finally {
    await save();
  }
}
