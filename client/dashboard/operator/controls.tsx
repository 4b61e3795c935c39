import { useState } from "preact/hooks";
import { type Overview, TUNABLE, type Tuning } from "../../../protocol/operator.ts";
import type { Office } from "./office.ts";
import { SETTING, text } from "./strings.ts";

interface ControlsProps {
  readonly office: Office;
  readonly overview: Overview;
}

/** Start, pause, drain and finish; roll back. */
export function Controls({ office, overview }: ControlsProps) {
  const { state, draining } = overview;
  const [asking, setAsking] = useState(false);
  if (state === "finished") return <p>{text.finished}</p>;
  const running = state === "running" && !draining;
  const does = (action: "start" | "pause" | "drain" | "finish") => () => void office.act({ action });
  return (
    <>
      <p class="buttons">
        <button type="button" class={running ? "" : "primary"} disabled={running} onClick={does("start")}>
          {text.start}
        </button>
        <button type="button" disabled={state === "paused"} onClick={does("pause")}>
          {text.pause}
        </button>
        <button type="button" disabled={!running} onClick={does("drain")}>
          {text.drain}
        </button>
        <button type="button" aria-expanded={asking} onClick={() => setAsking(!asking)}>
          {text.finish}
        </button>
      </p>
      {asking && (
        <div class="sure">
          <p>{text.finishSure}</p>
          <p class="buttons">
            <button type="button" class="danger" onClick={does("finish")}>
              {text.finishYes}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {text.finishNo}
            </button>
          </p>
        </div>
      )}
      <p class="note">{text.controlsHelp}</p>
    </>
  );
}

/** The settings that may change now. */
export function SettingsForm({ office, overview }: ControlsProps) {
  const [edited, setEdited] = useState<Partial<Tuning>>({});
  const changed = TUNABLE.filter((key) => edited[key] !== undefined && edited[key] !== overview.tuning[key]);
  const submit = async (event: Event) => {
    event.preventDefault();
    const changes = Object.fromEntries(changed.map((key) => [key, edited[key]]));
    await office.act({ action: "tune", changes });
    setEdited({});
  };
  return (
    <form class="settings" onSubmit={(event) => void submit(event)}>
      {TUNABLE.map((key) => (
        <label key={key}>
          <span>{SETTING[key].name}</span>
          <input
            type="number"
            step="any"
            min="0"
            required
            value={edited[key] ?? overview.tuning[key]}
            onInput={({ currentTarget }) => setEdited({ ...edited, [key]: currentTarget.valueAsNumber })}
          />
          <small>{SETTING[key].help}</small>
        </label>
      ))}
      <button type="submit" disabled={changed.length === 0}>
        {text.apply}
      </button>
    </form>
  );
}
