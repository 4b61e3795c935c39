import { useSignal } from "@preact/signals";
import { keepLanguage, language, speak } from "../language/current.ts";
import { isLanguage, LANGUAGES } from "../language/languages.ts";
import { browserStorage } from "./browser-storage.ts";
import { fetchPart } from "./fetch-part.ts";
import { common } from "./strings.ts";

/** Chooses the language, for this visit and the next: each by its own name, beside a sign that needs no language. */
export function LanguageSwitch() {
  const missing = useSignal(false);

  async function change(next: string): Promise<void> {
    if (!isLanguage(next)) return;
    try {
      await fetchPart(() => speak(next));
      keepLanguage(browserStorage(), next);
      missing.value = false;
    } catch {
      missing.value = true;
    }
  }

  return (
    <div class="language">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M3 12h18M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18c-5 5-5 13 0 18 5-5 5-13 0-18" />
      </svg>
      <select
        aria-label={common.language}
        value={language.value}
        onChange={({ currentTarget }) => {
          const { value } = currentTarget;
          currentTarget.value = language.value; // until its strings are there
          void change(value);
        }}
      >
        {!isLanguage(language.value) && <option value={language.value}>{language.value}</option>}
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
      {missing.value && <span role="alert">{common.languageMissing}</span>}
    </div>
  );
}
