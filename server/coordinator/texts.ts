import { contradiction } from "./contradiction.ts";
import type { TextAdded } from "./events.ts";
import type { Rules } from "./rules.ts";
import type { State } from "./state.ts";

/** Text that comes in now: the next of what is there, unless a delta of the open version came already. */
export function textDue({ texts = [] }: Rules, state: State, now: number): TextAdded | undefined {
  const next = texts[state.texts.length];
  if (next === undefined || state.pool.some(({ version }) => version === state.version)) return undefined;
  const { version, frontier, soft } = state;
  const from = Math.max(frontier, soft.next, state.texts.at(-1)?.from ?? 0);
  return { type: "text-added", at: now, version, from, ...next };
}

/** The state with more text. Positions that this process gave out already stay what they are. */
export function addText(state: State, event: TextAdded): State {
  const { at, version, from, text, tokens } = event;
  const last = state.texts.at(-1)?.from ?? 0;
  if (version !== state.version || state.closing !== undefined || from < last) {
    throw contradiction(event, "there is no boundary");
  }
  const { soft } = state;
  return {
    ...state,
    at,
    texts: [...state.texts, { version, from, text, tokens }],
    soft: { ...soft, next: Math.max(soft.next, from) },
  };
}
