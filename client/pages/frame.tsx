import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { asNumber, asObject } from "../../protocol/guards.ts";
import type { FromFrame } from "../embed/messages.ts";
import { LEAST_SHARE } from "./choices.ts";
import { FrameApp } from "./frame-app.tsx";
import { reloadOnce, tabStorage } from "./reload.ts";
import { browserRests } from "./rests.ts";
import { createSession } from "./session.ts";
import { createTrainer, spawnWorker } from "./trainer.ts";
import { watchRunInBrowser } from "./watch.ts";

/**
 * The volunteer within another site's page. It begins when the loader there says that the visitor agreed, or
 * asks by itself where it was opened without one. Nothing is remembered: each visit asks anew.
 */
const watch = watchRunInBrowser();
const trainer = createTrainer(spawnWorker);
const session = createSession({
  trainer,
  server: location.origin,
  device: undefined,
  storage: undefined,
  rests: browserRests(),
});
const begun = signal(false);
/** The host page's origin, once it has spoken; until then nothing but "ready" is said. */
let host: string | undefined;

function tell(message: FromFrame, to: string): void {
  if (parent !== window) parent.postMessage(message, to);
}

addEventListener("message", (event) => {
  // Whoever frames this page may begin it; only the window that frames it.
  if (parent === window || event.source !== parent || begun.value) return;
  try {
    const message = asObject(event.data, "message");
    if (message.murmuration !== 1 || message.type !== "begin") return;
    session.choose({ share: asNumber(message.share, "share", LEAST_SHARE, 1) });
    if (message.theme === "light" || message.theme === "dark") {
      document.documentElement.dataset.theme = message.theme;
    }
  } catch {
    return; // not the loader's message
  }
  host = event.origin;
  begun.value = true;
});

effect(() => {
  const status = watch.status.value;
  if (status !== undefined && begun.value && !session.agreed.value) session.agree(status.run);
});

effect(() => {
  const { phase } = session.phase.value;
  const tokens = trainer.sent.value?.tokens ?? 0;
  if (host !== undefined) tell({ murmuration: 1, type: "state", phase, tokens }, host);
});

effect(() => {
  const phase = trainer.phase.value;
  const mismatch =
    watch.connection.value === "mismatch" || (phase.phase === "unable" && phase.why === "protocol");
  if (mismatch) reloadOnce(tabStorage(), () => location.reload());
});

function stop() {
  session.stop();
  begun.value = false;
  if (host !== undefined) tell({ murmuration: 1, type: "stopped" }, host);
}

function agree() {
  begun.value = true;
}

const page = document.getElementById("page");
if (page !== null) {
  const app = (
    <FrameApp
      watch={watch}
      trainer={trainer}
      session={session}
      begun={begun}
      host={location.host}
      onAgree={agree}
      onStop={stop}
    />
  );
  render(app, page);
}
tell({ murmuration: 1, type: "ready" }, "*");
