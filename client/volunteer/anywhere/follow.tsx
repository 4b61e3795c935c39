import { effect, signal, untracked } from "@preact/signals";
import { render } from "preact";
import { parseJson } from "../../../protocol/guards.ts";
import type { RunId } from "../../../protocol/ids.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { parseRunHelps, type RunHelp } from "../../../protocol/run-help.ts";
import { splitRunPath } from "../../../protocol/run-name.ts";
import { fetchWords } from "../../language/current.ts";
import { timelyFetch } from "../../transport/timely-fetch.ts";
import { forgetAnywhere, movedFrom, movedTo, readAnywhere } from "../../ui/anywhere-consent.ts";
import { browserStorage } from "../../ui/browser-storage.ts";
import type { RunWatch } from "../../ui/watch.ts";
import type { Session } from "../session/session.ts";
import type { TrainerHandle } from "../session/worker-client.ts";
import { anywhereStrings, words } from "./strings.ts";
import { whereTo } from "./where-to.ts";

/** Milliseconds between two looks for another run, half of them drawn: not everybody moves at once. */
const LOOK_MS = 600_000;

/** Helps the run that the page is of, and leads to another one where the server says that this browser helps most. */
export function follow(watch: RunWatch, trainer: TrainerHandle, session: Session, server: string): void {
  const { origin: lobby, path } = splitRunPath(server);
  const storage = browserStorage();
  const agreed = readAnywhere(storage, lobby);
  if (agreed === undefined || path === "") return;
  const moved = movedFrom(location.hash);
  if (moved !== undefined) history.replaceState(history.state, "", location.pathname + location.search);
  const ended = signal(false);
  /** The run to go to as soon as the piece of work at hand is sent. */
  const next = signal<RunHelp | undefined>(undefined);
  const name = path.slice(path.lastIndexOf("/") + 1);

  effect(() => {
    const status = watch.status.value;
    if (status === undefined || ended.value || !agreed.runs.includes(status.run)) return;
    untracked(() => {
      const { consented, wanted } = session.choices.value;
      if (consented === status.run || !isSecureContext || status.state === "finished") return;
      // Whoever stopped or paused and comes by another way has not asked to go on.
      if (moved !== undefined || wanted === "run") session.agree(status.run);
    });
  });

  async function look(run: RunId): Promise<void> {
    const answer = await timelyFetch()(lobby + ROUTES.runs, { cache: "no-store" });
    if (!answer.ok || ended.value) return;
    const runs = parseRunHelps(parseJson(new Uint8Array(await answer.arrayBuffer())));
    next.value = whereTo(runs, run, agreed?.runs ?? []);
  }

  const lookLater = () =>
    setTimeout(
      () => {
        const { run } = watch.status.value ?? {};
        if (run !== undefined && session.choices.value.wanted === "run") look(run).catch(() => {}); // later again
        if (!ended.value) lookLater();
      },
      LOOK_MS * (0.5 + Math.random()),
    );
  lookLater();

  // A run that pauses or ends has no work: another may.
  effect(() => {
    const status = watch.status.value;
    if (status === undefined || status.state === "running" || session.choices.value.wanted !== "run") return;
    untracked(() => look(status.run).catch(() => {}));
  });

  let sent = trainer.sent.peek()?.last.ticket;
  effect(() => {
    const to = next.value;
    const last = trainer.sent.value?.last.ticket;
    const isBetween = last !== sent || !trainer.alive.value || watch.status.value?.state !== "running";
    sent = last;
    if (to === undefined || ended.value || !isBetween) return;
    location.assign(movedTo(lobby + to.path, name));
  });

  void fetchWords(anywhereStrings).then(() => {
    const place = Object.assign(document.createElement("div"), { className: "moved" });
    document.getElementById("page")?.before(place);
    const end = () => {
      ended.value = true;
      forgetAnywhere(storage);
    };
    render(<Moved from={moved?.from} isNew={moved !== undefined} ended={ended} end={end} />, place);
  });
}

interface MovedProps {
  readonly from: string | undefined;
  readonly isNew: boolean;
  readonly ended: { readonly value: boolean };
  readonly end: () => void;
}

/** Says that the server chose this run, and how to end that. */
function Moved({ from, isNew, ended, end }: MovedProps) {
  if (ended.value) {
    return (
      <p class="notice" role="status">
        {words.ended}
      </p>
    );
  }
  return (
    <aside class="notice" aria-label={words.title}>
      <p role="status">{from !== undefined ? words.movedFrom(from) : isNew ? words.chosen : words.on}</p>
      <div class="buttons">
        <button type="button" onClick={end}>
          {words.end}
        </button>
        <a href="../../">{words.lobby}</a>
      </div>
    </aside>
  );
}
