import { useState } from "preact/hooks";
import { isVolunteerKey } from "../../../protocol/ids.ts";
import { type Overview, TUNABLE, type Tuning } from "../../../protocol/operator.ts";
import { formatCount } from "../../ui/format.ts";
import type { OperatorClient } from "./operator-client.ts";
import { SETTING, text } from "./strings.ts";

interface ControlsProps {
  readonly client: OperatorClient;
  readonly overview: Overview;
}

/** Start, pause, drain and finish; roll back. */
export function Controls({ client, overview }: ControlsProps) {
  const { state, draining } = overview;
  if (state === "finished") return <p>{text.finished}</p>;
  const running = state === "running" && !draining;
  const does = (action: "start" | "pause" | "drain" | "finish") => () => void client.act({ action });
  return (
    <>
      <div class="buttons">
        <button type="button" class={running ? "" : "primary"} disabled={running} onClick={does("start")}>
          {text.start}
        </button>
        <button type="button" disabled={state === "paused"} onClick={does("pause")}>
          {text.pause}
        </button>
        <button type="button" disabled={!running} onClick={does("drain")}>
          {text.drain}
        </button>
        <Sure
          name={text.finish}
          why={text.finishSure}
          yes={text.finishYes}
          no={text.finishNo}
          onYes={does("finish")}
        />
      </div>
      <p class="note">{text.controlsHelp}</p>
    </>
  );
}

interface SureProps {
  readonly name: string;
  /** Its name for a visitor who cannot see what it stands beside. */
  readonly label?: string;
  readonly disabled?: boolean;
  /** Its consequences, in words. */
  readonly why: string;
  readonly yes: string;
  readonly no: string;
  readonly onYes: () => void;
}

/** A button for what cannot be taken back as easily: it asks first. */
export function Sure({ name, label, disabled = false, why, yes, no, onYes }: SureProps) {
  const [asking, setAsking] = useState(false);
  const answer = (agreed: boolean) => () => {
    setAsking(false);
    if (agreed) onYes();
  };
  return (
    <>
      <button
        type="button"
        disabled={disabled}
        aria-label={label}
        aria-expanded={asking}
        onClick={() => setAsking(!asking)}
      >
        {name}
      </button>
      {asking && !disabled && (
        <div class="sure">
          <p>{why}</p>
          <p class="buttons">
            <button type="button" class="danger" onClick={answer(true)}>
              {yes}
            </button>
            <button type="button" onClick={answer(false)}>
              {no}
            </button>
          </p>
        </div>
      )}
    </>
  );
}

/** Goes on from a version that is stored whole. */
export function RollBack({ client, overview: { snapshots, state } }: ControlsProps) {
  const [chosen, setChosen] = useState<number>();
  const version = chosen !== undefined && snapshots.includes(chosen) ? chosen : snapshots[0];
  if (state === "finished" || version === undefined) return null;
  return (
    <form class="line" onSubmit={(event) => event.preventDefault()}>
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
      <Sure
        name={text.rollback}
        why={text.rollbackSure(formatCount(version))}
        yes={text.rollbackYes(formatCount(version))}
        no={text.rollbackNo}
        onYes={() => void client.act({ action: "rollback", version })}
      />
      <small>{text.rollbackHelp}</small>
    </form>
  );
}

/** Shuts a volunteer out, or takes it back. */
export function Rulings({ client }: Pick<ControlsProps, "client">) {
  const [key, setKey] = useState("");
  const volunteer = isVolunteerKey(key) ? key : undefined;
  const does = (action: "ban" | "forgive") => () => {
    if (volunteer !== undefined) void client.act({ action, volunteer });
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
      <Sure
        name={text.ban}
        disabled={volunteer === undefined}
        why={text.banSure}
        yes={text.banYes}
        no={text.banNo}
        onYes={does("ban")}
      />
      <button type="button" disabled={volunteer === undefined} onClick={does("forgive")}>
        {text.forgive}
      </button>
      <small>{text.banHelp}</small>
    </form>
  );
}

/** The settings that may change now. */
export function SettingsForm({ client, overview }: ControlsProps) {
  const [edited, setEdited] = useState<Partial<Tuning>>({});
  const changed = TUNABLE.filter((key) => edited[key] !== undefined && edited[key] !== overview.tuning[key]);
  const submit = async (event: Event) => {
    event.preventDefault();
    const changes = Object.fromEntries(changed.map((key) => [key, edited[key]]));
    await client.act({ action: "tune", changes });
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
