import { formatLarge } from "../../ui/format.ts";
import { type Draft, isPreset, PRESETS, parametersOf, type Size } from "./order.ts";
import { text } from "./strings.ts";

interface SizeFormProps {
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
  /** Of a corpus that is there: then it is not to be chosen. */
  readonly vocabulary: number | undefined;
}

/** Name, operator, size and budget. */
export function SizeForm({ draft, setDraft, vocabulary }: SizeFormProps) {
  const chosen = PRESETS.findIndex((preset) => isPreset(draft, preset));
  const line = (preset: Size, name: string) => {
    const parameters = parametersOf({ ...preset, vocabulary: vocabulary ?? preset.vocabulary });
    return text.presetLine(name, formatLarge(parameters ?? 0));
  };
  const words = (key: "name" | "operator", name: string, help: string) => (
    <label>
      <span>{name}</span>
      <input
        value={draft[key]}
        maxLength={80}
        onInput={({ currentTarget }) => setDraft({ ...draft, [key]: currentTarget.value })}
      />
      <small>{help}</small>
    </label>
  );
  const number = (key: keyof Size, name: string, help = "", least = 1) => (
    <label>
      <span>{name}</span>
      <input
        type="number"
        required
        min={least}
        step="1"
        value={draft[key]}
        onInput={({ currentTarget }) => setDraft({ ...draft, [key]: currentTarget.valueAsNumber })}
      />
      <small>{help}</small>
    </label>
  );
  return (
    <form class="settings" onSubmit={(event) => event.preventDefault()}>
      {words("name", text.name, text.nameHelp)}
      {words("operator", text.operator, text.operatorHelp)}
      <label>
        <span>{text.preset}</span>
        <select
          value={String(chosen)}
          onChange={({ currentTarget }) => {
            const preset = PRESETS[Number(currentTarget.value)];
            if (preset !== undefined) setDraft({ ...draft, ...preset });
          }}
        >
          {PRESETS.map((preset, i) => (
            <option key={preset.width} value={String(i)}>
              {line(preset, text.presets[i] ?? "")}
            </option>
          ))}
          {chosen < 0 && <option value="-1">{text.ownSize}</option>}
        </select>
      </label>
      {number("layers", text.layers)}
      {number("heads", text.heads)}
      {number("width", text.width, text.widthHelp)}
      {number("context", text.context, text.contextHelp, 2)}
      {vocabulary === undefined && number("vocabulary", text.vocabulary, text.vocabularyHelp, 256)}
      {number("tokenBudget", text.budget, text.budgetHelp)}
      <label class="check">
        <input
          type="checkbox"
          checked={draft.paused}
          onChange={({ currentTarget }) => setDraft({ ...draft, paused: currentTarget.checked })}
        />
        <span>{text.paused}</span>
      </label>
    </form>
  );
}
