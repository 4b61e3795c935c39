/** The language of a browser without a usable one: the pages are in English. */
const FALLBACK = "en-GB";

/** The tag where Intl takes it. Some systems name none that is valid: `C`, `en-US@posix`, or nothing. */
export function safeLocale(tag: unknown): string {
  try {
    return (typeof tag === "string" && Intl.getCanonicalLocales(tag)[0]) || FALLBACK;
  } catch {
    return FALLBACK;
  }
}

/**
 * Makes `navigator.language` a tag that Intl takes. For libraries that hand it on as it is: uPlot does while its module
 * loads, and what throws there can never be loaded again.
 */
export function mendLanguage(browser: { readonly language: unknown } = navigator): void {
  const { language } = browser;
  const safe = safeLocale(language);
  if (safe !== language) Object.defineProperty(browser, "language", { value: safe, configurable: true });
}
