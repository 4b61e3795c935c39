/**
 * A browser that is not Chromium, as a test drives it: the little that WebDriver BiDi (firefox.ts) and WebDriver
 * (webkit.ts) have in common.
 */
export interface Driver {
  readonly version: string;
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  /** What a person can read. */
  text(): Promise<string>;
  /**
   * Calls a function in the page and returns its result, which is JSON. The function goes there as its source text: it
   * sees the page, and nothing of its module.
   */
  evaluate<T>(script: () => T): Promise<T>;
  /** Presses the mouse's button on the first control that is named so and can be pressed; waits until there is one. */
  click(name: string | RegExp): Promise<void>;
  /** Does something within the first frame, even of another origin, instead of the page. */
  inFrame<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Milliseconds until a control that does not appear is missed. */
const CONTROL_MS = 60_000;

/**
 * Asks again until there is an answer; what an element that has just been replaced throws counts as none. Throws what
 * `missing` says where none comes.
 */
export async function answered<T>(ask: () => Promise<T | undefined>, missing: string): Promise<T> {
  const end = performance.now() + CONTROL_MS;
  let cause: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50)); // another process's page: nothing tells of a change
  }
  throw new Error(missing, { cause });
}

/** What can be pressed. */
export const CONTROL = "button:enabled, a[href], summary, label";

/**
 * For the page: the first element that one can see, in open shadow trees too, which a selector matches, and whose words
 * a regular expression does. Null where there is none.
 */
export function findElement(selector: string, words: string): Element | null {
  const all = (root: Document | ShadowRoot): Element[] =>
    [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  const said = new RegExp(words);
  const found = all(document).find(
    (one) =>
      one.matches(selector) &&
      one.checkVisibility() &&
      said.test((one.textContent ?? "").replace(/\s+/g, " ").trim()),
  );
  return found ?? null;
}

/** The source of the regular expression that matches just this name. */
export const sourceOf = (name: string | RegExp): string =>
  typeof name === "string" ? `^${name.replace(/[\^$.*+?()[\]{}|]/g, "\\$&")}$` : name.source;
