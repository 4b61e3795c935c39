import { useState } from "preact/hooks";
import { isVolunteerKey } from "../../../protocol/ids.ts";
import { type Overview, TUNABLE, type Tuning } from "../../../protocol/operator.ts";
import { formatCount } from "../../pages/format.ts";
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

/** Goes on from a version that is stored whole. */
export function RollBack({ office, overview: { snapshots, state } }: ControlsProps) {
  const [chosen, setChosen] = useState<number>();
  const version = chosen !== undefined && snapshots.includes(chosen) ? chosen : snapshots[0];
  if (state === "finished" || version === undefined) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    void office.act({ action: "rollback", version });
  };
  return (
    <form class="line" onSubmit={submit}>
      <label>
        <span>{text.rollbackTo}</span>
        <select
          value={String(version)}
          onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
        >
          {snapshots.map((one) => (
            <option key={one} value={String(one)}>
              {formatCount(one)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">{text.rollback}</button>
      <small>{text.rollbackHelp}</small>
    </form>
  );
}

/** Shuts a volunteer out, or takes it back. */
export function Rulings({ office }: Pick<ControlsProps, "office">) {
  const [key, setKey] = useState("");
  const volunteer = isVolunteerKey(key) ? key : undefined;
  const does = (action: "ban" | "forgive") => () => {
    if (volunteer !== undefined) void office.act({ action, volunteer });
  };
  return (
    <form class="line" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>{text.banLabel}</span>
        <input
          value={key}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setKey(currentTarget.value.trim())}
        />
      </label>
      <button type="button" disabled={volunteer === undefined} onClick={does("ban")}>
        {text.ban}
      </button>
      <button type="button" disabled={volunteer === undefined} onClick={does("forgive")}>
        {text.forgive}
      </button>
      <small>{text.banHelp}</small>
    </form>
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
