import { computed, effect, untracked } from "@preact/signals";
import { serverOf } from "../../../protocol/address.ts";
import { ANYWHERE } from "../../ui/anywhere.ts";
import { browserStorage } from "../../ui/browser-storage.ts";
import { mount } from "../../ui/mount.ts";
import { watchRunInBrowser } from "../../ui/watch.ts";
import { deviceAsked } from "../session/device-asked.ts";
import { browserWakeLocks, keepAwake } from "../session/keep-awake.ts";
import { keptRefusals } from "../session/refusals.ts";
import { forgetReload, reloadOnce, tabStorage } from "../session/reload.ts";
import { browserRests } from "../session/rests.ts";
import { createSession } from "../session/session.ts";
import { createSharing } from "../session/sharing.ts";
import { createTrainer, spawnWorker } from "../session/worker-client.ts";
import { volunteerStrings } from "../strings.ts";
import { App } from "./app.tsx";

/** The volunteer page: wires the browser to the session, and the session to what is shown. */
const server = serverOf(location.href);
const watch = watchRunInBrowser();
const trainer = createTrainer(spawnWorker);
const refusals = keptRefusals(browserStorage(), Date.now);
const rests = browserRests();
const session = createSession({
  ...{ trainer, server, rests },
  device: deviceAsked(location.search),
  storage: browserStorage(),
});
const isAtWork = computed(() => trainer.alive.value && session.choices.value.wanted === "run");
keepAwake(
  computed(() => isAtWork.value && session.choices.value.keepAwake),
  rests.hidden,
  browserWakeLocks(),
);

// A visitor who agreed to help any of this server's runs.
if (browserStorage()?.getItem(ANYWHERE))
  void import("../anywhere/follow.tsx").then(({ follow }) => follow(watch, trainer, session, server));

const sharing = createSharing(trainer, session, server);

effect(() => {
  const refused = trainer.refused.value;
  if (refused !== undefined) untracked(() => refusals.add(refused.code));
});

effect(() => {
  const status = watch.status.value;
  if (status !== undefined) untracked(() => refusals.enter(status.run));
  if (status !== undefined && status.state !== "finished" && isSecureContext) session.enter(status.run);
});

effect(() => {
  const phase = trainer.phase.value;
  const mismatch =
    watch.connection.value === "mismatch" || (phase.phase === "unable" && phase.why === "protocol");
  if (mismatch) reloadOnce(tabStorage(), () => location.reload());
  else if (watch.connection.value === "live" && phase.phase === "training") forgetReload(tabStorage());
});

void mount(
  <App {...{ watch, trainer, session, refusals, sharing }} host={location.host} secure={isSecureContext} />,
  [volunteerStrings],
);
