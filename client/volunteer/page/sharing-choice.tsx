import type { ReadonlySignal } from "@preact/signals";
import { MissingPart } from "../../ui/lazy.tsx";
import type { Session } from "../session/session.ts";
import type { SharingState } from "../session/sharing.ts";
import { text } from "../strings.ts";

/** The consent to share with other visitors: its own box, empty at first, beside what it means. */
export function SharingChoice({
  session,
  sharing,
}: {
  readonly session: Session;
  readonly sharing: ReadonlySignal<SharingState | undefined>;
}) {
  const state = sharing.value;
  return (
    <div class="choices sharing">
      <label>
        <input
          type="checkbox"
          checked={session.choices.value.withPeers}
          aria-describedby="sharing-help"
          onChange={(event) => session.choose({ withPeers: event.currentTarget.checked })}
        />
        {text.withPeers}
      </label>
      <p class="note" id="sharing-help">
        {text.withPeersHelp}
      </p>
      {state === "missing" && (
        <MissingPart
          again={() => {
            session.choose({ withPeers: false });
            session.choose({ withPeers: true });
          }}
        />
      )}
      {state !== undefined && state !== "missing" && (
        <p class="note">{text.withPeersState(state.connected, state.up, state.down)}</p>
      )}
    </div>
  );
}
