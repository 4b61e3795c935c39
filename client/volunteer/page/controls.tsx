import type { ReadonlySignal } from "@preact/signals";
import { common } from "../../ui/strings.ts";
import { deviceLine, phaseLine, probeLine, refusedLine } from "../lines.ts";
import { PAUSES } from "../session/pause-until.ts";
import type { Session } from "../session/session.ts";
import type { SharingState } from "../session/sharing.ts";
import type { TrainerHandle } from "../session/worker-client.ts";
import { text } from "../strings.ts";
import { ChoicesForm } from "./choices-form.tsx";
import { SharingChoice } from "./sharing-choice.tsx";

/** The present state in a sentence, and the visitor's controls. */
export function Controls({
  session,
  trainer,
  sharing,
}: {
  readonly session: Session;
  readonly trainer: TrainerHandle;
  readonly sharing: ReadonlySignal<SharingState | undefined>;
}) {
  const phase = session.phase.value;
  const refused = trainer.refused.value;
  const busy = phase.phase !== "stopped" && phase.phase !== "finished" && phase.phase !== "unable";
  return (
    <>
      <p class={`phase ${phase.phase}`} data-state={phase.phase}>
        <span class="lamp" aria-hidden="true" />
        {phaseLine(phase)}
      </p>
      {phase.phase === "unable" && phase.detail !== "" && <p class="detail">{phase.detail}</p>}
      {refused !== undefined && <p class="detail">{refusedLine(refused.code)}</p>}
      {session.choices.value.pausedUntil !== undefined && (
        <p class="detail">{text.pausedUntil(session.choices.value.pausedUntil)}</p>
      )}
      <div class="buttons">
        {busy ? (
          <>
            <PauseButton session={session} />
            <OverrideButton session={session} />
            <PauseFor session={session} />
            <button type="button" onClick={session.stop}>
              {text.stop}
            </button>
          </>
        ) : (
          phase.phase !== "finished" && (
            <button type="button" class="primary" onClick={session.start}>
              {phase.phase === "unable" ? common.retry : text.start}
            </button>
          )
        )}
      </div>
      <ChoicesForm session={session} />
      {trainer.manifest.value?.peers !== undefined && <SharingChoice session={session} sharing={sharing} />}
      <Device trainer={trainer} />
    </>
  );
}

export function PauseButton({ session }: { readonly session: Session }) {
  const paused = session.choices.value.wanted === "pause";
  return (
    <button
      type="button"
      class="primary"
      data-state={paused ? "paused" : "running"}
      onClick={paused ? session.start : () => session.pause()}
    >
      {paused ? text.resume : text.pause}
    </button>
  );
}

/** Pauses that end by themselves. */
function PauseFor({ session }: { readonly session: Session }) {
  return (
    <select
      aria-label={text.pauseFor}
      value=""
      onChange={({ currentTarget }) => {
        const length = PAUSES.find((one) => one === currentTarget.value);
        currentTarget.value = ""; // it is a menu: the same may be chosen again
        if (length !== undefined) session.pause(length);
      }}
    >
      <option value="">{text.pauseFor}</option>
      {PAUSES.map((length) => (
        <option key={length} value={length}>
          {text.pauseLengths[length]}
        </option>
      ))}
    </select>
  );
}

/** Offered where something else than the visitor asks for rest. */
export function OverrideButton({ session }: { readonly session: Session }) {
  if (!session.overridable.value) return null;
  return (
    <button type="button" onClick={session.override}>
      {text.override}
    </button>
  );
}

function Device({ trainer }: { readonly trainer: TrainerHandle }) {
  const found = trainer.device.value;
  if (found === undefined) return null;
  return (
    <details class="device">
      <summary>{deviceLine(found.device)}</summary>
      <ul>
        {found.probed.map((result, i) => (
          <li key={i}>{probeLine(result)}</li>
        ))}
      </ul>
      <a href="./bench">{text.benchLink}</a>
    </details>
  );
}
