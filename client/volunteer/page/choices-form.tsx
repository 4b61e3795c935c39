import { MIN_SHARE, PRESET_NAMES, PRESETS, presetOf, type Tuning } from "../session/choices.ts";
import { browserWakeLocks } from "../session/keep-awake.ts";
import type { Hours } from "../session/rests.ts";
import type { Session } from "../session/session.ts";
import { text } from "../strings.ts";

/** How much of the machine, in three ready answers, or tuned one by one. */
export function ChoicesForm({ session }: { readonly session: Session }) {
  const chosen = session.choices.value;
  const preset = presetOf(chosen);
  return (
    <div class="choices">
      <fieldset class="presets">
        <legend>{text.presets}</legend>
        {PRESET_NAMES.map((name) => (
          <label key={name} class={preset === name ? "preset chosen" : "preset"}>
            <input
              type="radio"
              name="preset"
              checked={preset === name}
              onChange={() => session.choose(PRESETS[name])}
            />
            {text.presetNames[name]}
          </label>
        ))}
      </fieldset>
      <p class="note">{preset === undefined ? text.presetOwn : text.presetHelp[preset]}</p>
      <details>
        <summary>{text.tune}</summary>
        <Share session={session} />
        <Check session={session} what="pauseWhenHidden" />
        {session.rests.onBattery.value !== undefined && <Check session={session} what="pauseOnBattery" />}
        {session.rests.savesData.value !== undefined && <Check session={session} what="pauseOnSaver" />}
        {session.rests.hot.value !== undefined && <Check session={session} what="pauseOnHeat" />}
        <HoursChoice session={session} />
        <Check session={session} what="startPaused" />
        {browserWakeLocks() !== undefined && <Check session={session} what="keepAwake" />}
      </details>
    </div>
  );
}

function Share({ session }: { readonly session: Session }) {
  const { share } = session.choices.value;
  return (
    <label class="share">
      <span>{text.share}</span>
      <span class="value">{text.shareText(share)}</span>
      <input
        type="range"
        min={MIN_SHARE * 100}
        max="100"
        step="10"
        value={share * 100}
        aria-label={text.share}
        aria-valuetext={text.shareText(share)}
        onInput={(event) => session.choose({ share: event.currentTarget.valueAsNumber / 100 })}
      />
    </label>
  );
}

type Yes = Exclude<{ [K in keyof Tuning]: Tuning[K] extends boolean ? K : never }[keyof Tuning], "withPeers">;

function Check({ session, what }: { readonly session: Session; readonly what: Yes }) {
  return (
    <label>
      <input
        type="checkbox"
        checked={session.choices.value[what]}
        onChange={(event) => session.choose({ [what]: event.currentTarget.checked })}
      />
      {text[what]}
    </label>
  );
}

/** Minutes of the day: at night the machine is free, and the heating is on anyway. */
const FIRST_HOURS: Hours = { from: 22 * 60, to: 7 * 60 };

function HoursChoice({ session }: { readonly session: Session }) {
  const { hours } = session.choices.value;
  const shown = hours ?? FIRST_HOURS;
  const time = (which: "from" | "to", label: string) => (
    <input
      type="time"
      aria-label={label}
      value={clockText(shown[which])}
      disabled={hours === undefined}
      onChange={(event) => {
        const minute = clockMinute(event.currentTarget.value);
        if (minute !== undefined) session.choose({ hours: { ...shown, [which]: minute } });
      }}
    />
  );
  return (
    <div class="hours">
      <label>
        <input
          type="checkbox"
          checked={hours !== undefined}
          onChange={(event) => session.choose({ hours: event.currentTarget.checked ? shown : undefined })}
        />
        {text.hoursOn}
      </label>
      {time("from", text.hoursFromLabel)} {text.hoursTo} {time("to", text.hoursToLabel)}
    </div>
  );
}

/** Minutes since midnight as a time input has them: 1330 → "22:10". */
function clockText(minute: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function clockMinute(value: string): number | undefined {
  const [hours = Number.NaN, minutes = Number.NaN] = value.split(":").map(Number);
  const minute = hours * 60 + minutes;
  return Number.isInteger(minute) && minute >= 0 && minute < 24 * 60 ? minute : undefined;
}
