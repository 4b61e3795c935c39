import { browserCache, forgetOtherRuns } from "../cache/browser.ts";
import { openIdentity } from "../cache/entries.ts";
import { lastingCache } from "../cache/lasting.ts";
import { TileMemory } from "../cache/tiles.ts";
import { sharedApi } from "../p2p/shared-api.ts";
import { httpApi } from "../transport/http.ts";
import { mirroredApi } from "../transport/mirror.ts";
import { Control, Stopped } from "./control.ts";
import { browserCandidates } from "./device/devices.ts";
import { whyUnable } from "./device/platform.ts";
import { Inspection } from "./inspection.ts";
import { volunteer } from "./loop.ts";
import type { Command, Report } from "./messages.ts";
import { openLanguageRun } from "./open-run.ts";
import { PeerPort } from "./peer-port.ts";
import { holdTabLock, TabLockTaken } from "./tab-lock.ts";
import { monotonic, sleep } from "./time.ts";
import { trafficTeller } from "./traffic-report.ts";

/** The trainer's Worker: commands in, reports out (messages.ts). Everything else is in the files it wires. */

const report = (one: Report): void => self.postMessage(one);

let control: Control | undefined;
const inspection = new Inspection();
const peers = new PeerPort(sleep);

self.addEventListener("message", ({ data: command }: MessageEvent<Command>) => {
  switch (command.type) {
    case "start":
      if (control === undefined) void start(command);
      return;
    case "peers":
      return peers.open(command.port);
    case "share":
      if (control) control.share = command.share;
      return;
    case "pause":
      return control?.pause(command.why);
    case "resume":
      return control?.resume();
    case "look":
      return void look();
    case "stop":
      return control?.stop();
  }
});

async function look(): Promise<void> {
  try {
    const inside = await inspection.look();
    report({ type: "missing", part: "inside", missing: false });
    if (inside !== undefined) report({ type: "inside", inside });
    const delta = await inspection.delta();
    if (delta !== undefined) report({ type: "delta", delta });
  } catch {
    report({ type: "missing", part: "inside", missing: true });
  }
}

async function start(command: Extract<Command, { type: "start" }>): Promise<void> {
  const mine = new Control(report, command.share);
  control = mine;
  mine.enter({ phase: "starting" });
  const unable = await whyUnable();
  if (unable !== undefined) mine.enter({ phase: "unable", ...unable });
  else {
    const waiting = () => mine.enter({ phase: "paused", why: "other-tab" });
    await holdTabLock(mine.signal, waiting, () => train(command, mine)).catch((error: unknown) => {
      // The page ends this Worker, and where training is still wanted starts another, which waits for the lock.
      if (error instanceof Stopped || error instanceof TabLockTaken) mine.enter({ phase: "stopped" });
      else mine.enter({ phase: "unable", why: "failed", detail: String(error) });
    });
  }
  control = undefined;
}

async function train(command: Extract<Command, { type: "start" }>, control: Control): Promise<void> {
  const { server, device, site } = command;
  if (command.peers) peers.expect();
  const traffic = trafficTeller(report, monotonic);
  await volunteer({
    api: sharedApi(
      mirroredApi(httpApi({ server, traffic: traffic.count, ...(site !== undefined && { site }) }), {
        clock: monotonic,
        traffic: (bytes) => traffic.count(bytes, 0),
        say: (line) => console.warn(`murmuration: ${line}`),
      }),
      () => peers.bridge(control.signal),
      (bytes) => traffic.count(bytes, 0),
    ),
    moved: (replica) => peers.follow(replica),
    control,
    report,
    inspection,
    clock: monotonic,
    random: Math.random,
    sleep,
    open: async (manifest) => {
      await forgetOtherRuns(server, manifest.run);
      const say = (why: string) => console.warn(`murmuration: nothing is kept between visits (${why})`);
      const cache = lastingCache(browserCache(server, manifest.run), say);
      const identity = await openIdentity(cache, site === undefined);
      const candidates = browserCandidates(server, new TileMemory(cache, manifest.model));
      return openLanguageRun({ manifest, cache, identity, candidates, only: device, control, report });
    },
  });
  traffic.tell();
}
