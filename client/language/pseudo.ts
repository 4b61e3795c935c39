/** Arabic letters, so that a browser lays the text out from right to left; each string has some that others have not. */
const LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي";

/** How many times as long as the English text: German has up to 1.4 times as many letters, short labels twice as many. */
const LENGTH = 1.6;

/** A catalogue whose every text is longer, and written from right to left around the values and the English within. */
export function pseudo<T>(words: T): T;
export function pseudo(words: unknown): unknown {
  if (typeof words === "string") return lengthen(words);
  if (typeof words === "function") return (...values: unknown[]) => lengthen(String(words(...values)));
  if (Array.isArray(words)) return words.map((word) => pseudo(word));
  if (typeof words !== "object" || words === null) return words;
  return Object.fromEntries(Object.entries(words).map(([key, word]) => [key, pseudo(word)]));
}

/** "Pause" → "اب Pause تث": empty text stays empty, since pages leave out what is not said. */
function lengthen(text: string): string {
  if (text === "") return "";
  const more = Math.max(4, Math.ceil(text.length * (LENGTH - 1)));
  let filling = "";
  for (let i = 0; i < more; i++)
    filling += i % 7 === 6 ? " " : LETTERS[(text.length + i * 5) % LETTERS.length];
  const half = filling.length >> 1;
  return `${filling.slice(0, half)} ${text} ${filling.slice(half)}`;
}
