import { type ReadonlySignal, signal } from "@preact/signals";
import { here } from "../../../protocol/address.ts";
import { type Json, parseJson } from "../../../protocol/guards.ts";
import {
  OPERATOR_HEADER,
  OPERATOR_ROUTES,
  type OperatorAction,
  type Overview,
  parseOverview,
} from "../../../protocol/operator.ts";
import { doneLine, text } from "./strings.ts";

/** `no-run`: signed in, on a server whose run is yet to be made. */
export type Access = "loading" | "signed-out" | "link-failed" | "signed-in" | "no-run" | "away";

/** The operator's side of the server: what it says, and what can be done. */
export interface Office {
  readonly access: ReadonlySignal<Access>;
  readonly overview: ReadonlySignal<Overview | undefined>;
  /** What became of the last thing done, in words. */
  readonly said: ReadonlySignal<string>;
  act(action: OperatorAction): Promise<void>;
  signOut(): Promise<void>;
}

export interface OfficeDeps {
  readonly fetch: typeof fetch;
  readonly after: (ms: number, callback: () => void) => void;
  /** The page's own address, whose fragment may hold a one-time link. */
  readonly hash: string;
  /** Takes the link out of the address bar and the history. */
  readonly forgetHash: () => void;
  /** Looks how far a server without a run is with making one. */
  readonly lookAtFounding: () => Promise<void>;
  /** The run is there: the page begins anew, with all that belongs to a run. */
  readonly reload: () => void;
}

const POLL_MS = 3_000;
/** While a run is made somebody watches a bar. */
const FOUNDING_POLL_MS = 1_000;
const LINK = /^#link=([\w-]{1,100})$/;

/** Signs in with the address's link, if it has one, and keeps asking how the run is. */
export function openOffice(deps: OfficeDeps): Office {
  const { fetch: ask, after, hash, forgetHash, lookAtFounding, reload } = deps;
  const access = signal<Access>("loading");
  const overview = signal<Overview | undefined>(undefined);
  const said = signal("");
  /** This page has seen the server without a run. */
  let founding = false;

  const post = (path: string, body: object) =>
    ask(here(path), {
      method: "POST",
      headers: { "content-type": "application/json", [OPERATOR_HEADER]: "1" },
      body: JSON.stringify(body),
    });

  async function look(): Promise<void> {
    try {
      const answer = await ask(here(OPERATOR_ROUTES.overview), { cache: "no-store" });
      if (answer.status === 401) {
        if (access.value !== "link-failed") access.value = "signed-out";
        overview.value = undefined;
        return;
      }
      if (answer.status === 503 && (await codeOf(answer)) === "no-run") {
        await lookAtFounding();
        access.value = "no-run";
        founding = true;
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      if (founding) return reload();
      overview.value = parseOverview(await jsonOf(answer));
      access.value = "signed-in";
    } catch {
      access.value = "away";
    }
  }

  async function poll(): Promise<void> {
    await look();
    // Nobody signs in behind a page's back: without a session it need not ask again.
    if (access.value === "signed-in" || access.value === "away") after(POLL_MS, () => void poll());
    else if (access.value === "no-run") after(FOUNDING_POLL_MS, () => void poll());
  }

  async function begin(): Promise<void> {
    const link = LINK.exec(hash)?.[1];
    if (link !== undefined) {
      forgetHash();
      const answer = await post(OPERATOR_ROUTES.signIn, { link }).catch(() => undefined);
      if (answer !== undefined && !answer.ok) access.value = "link-failed";
    }
    await poll();
  }

  void begin();
  return {
    access,
    overview,
    said,
    async act(action) {
      try {
        const answer = await post(OPERATOR_ROUTES.act, action);
        said.value = answer.ok ? doneLine(action) : text.failed(await reasonOf(answer));
      } catch {
        said.value = text.failed(text.away);
      }
      await look();
    },
    async signOut() {
      await post(OPERATOR_ROUTES.signOut, {}).catch(() => undefined);
      await look();
    },
  };
}

const jsonOf = async (answer: Response): Promise<Json> =>
  parseJson(new Uint8Array(await answer.arrayBuffer()));

async function codeOf(answer: Response): Promise<unknown> {
  const { error } = await jsonOf(answer);
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

async function reasonOf(answer: Response): Promise<string> {
  try {
    const { error } = await jsonOf(answer);
    if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  } catch {
    // not ours: its status says what there is to say
  }
  return String(answer.status);
}
