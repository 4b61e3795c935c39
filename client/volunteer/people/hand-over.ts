import type { CodeAnswer, CodeRequest } from "../../../protocol/code.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { type Code, digitsOf, drawReader, openHanded, requireKnock, sealFor, WrongCode } from "./code.ts";

/** Milliseconds between two looks into the box. */
const LOOK_MS = 1_000;

export interface HandOverParts {
  readonly code: Code;
  /** Asks the server, under this page's key. */
  readonly ask: (request: CodeRequest) => Promise<CodeAnswer>;
  /** Rejects when the page has lost interest. */
  readonly wait: (ms: number) => Promise<void>;
}

/** How it ended: `over` after two minutes, `stranger` where a page that had not read the code asked for the key. */
export type HandOverEnd = "taken" | "declined" | "over" | "stranger";

/**
 * The page that has the key: waits for a knock, has the person compare digits, and hands the key over. `left` hears the
 * milliseconds that remain.
 */
export async function handOver(
  { code, ask, wait }: HandOverParts,
  identity: Identity,
  {
    left,
    agree,
  }: { readonly left: (ms: number) => void; readonly agree: (digits: string) => Promise<boolean> },
): Promise<HandOverEnd> {
  const { box } = code;
  try {
    let answer = await ask({ box, open: true });
    while (answer.knock === null) {
      left(answer.left);
      await wait(LOOK_MS);
      answer = await ask({ box, look: true });
    }
    const { knock } = answer;
    await requireKnock(code, knock);
    if (!(await agree(await digitsOf(code, knock)))) return "declined";
    await ask({ box, hand: await sealFor(code, knock, identity) });
    while (!(await ask({ box, look: true })).taken) await wait(LOOK_MS);
    return "taken";
  } catch (error) {
    if (error instanceof WrongCode) return "stranger";
    if (error instanceof ProtocolError && error.code === "not-found") return "over";
    throw error;
  }
}

/** The page that reads the code: knocks, shows digits, and waits. Throws `not-found`, `code-used` and {@link WrongCode}. */
export async function receive(
  { code, ask, wait }: HandOverParts,
  show: (digits: string) => void,
): Promise<Identity> {
  const reader = await drawReader(code);
  const { knock } = reader;
  const { box } = code;
  for (let shown = false; ; shown = true) {
    const { hand } = await ask({ box, knock });
    if (hand !== null) return openHanded(code, reader, hand);
    if (!shown) show(await digitsOf(code, knock));
    await wait(LOOK_MS);
  }
}
