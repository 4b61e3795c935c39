import type { Hash, PeerId } from "../../protocol/ids.ts";
import type { Download } from "./download.ts";
import type { Command, Source } from "./events.ts";
import {
  ANNOUNCE_EVERY_MS,
  ASK_MS,
  FEW_PEERS,
  HEDGE_MS,
  IDLE_MS,
  MAX_ASKS,
  PEER_ASKS,
  SEEK_MS,
  SERVER_ASKS,
  SLOW_MS,
} from "./limits.ts";
import type { Peer } from "./peer.ts";

/** The state from which it is decided which peer to ask. */
export interface Swarm {
  readonly peers: ReadonlyMap<PeerId, Peer>;
  readonly downloads: ReadonlyMap<Hash, Download>;
}

/** Asks for every chunk of a download that can be asked for now: of peers first, and of the server what they leave. */
export function* asksFor(download: Download, swarm: Swarm, now: number): Generator<Command, void, undefined> {
  let useful = 0;
  const ready: { readonly id: PeerId; free: number }[] = [];
  for (const [id, peer] of swarm.peers) {
    if (!peer.open || !download.lacksFrom(id)) continue;
    useful++;
    const free = PEER_ASKS - asksOf(id, swarm);
    if (free > 0 && peer.busyUntil <= now) ready.push({ id, free });
  }
  // One ask a peer and turn, so that the first of them does not get everything.
  for (let asked = true; asked; ) {
    asked = false;
    for (const one of ready) {
      if (one.free === 0 || download.asks.length >= MAX_ASKS) continue;
      const chunk = download.pick(one.id, now);
      if (chunk === undefined) continue;
      one.free--;
      asked = true;
      download.ask(one.id, chunk, now);
      yield { type: "ask", peer: one.id, object: download.shape.hash, chunk };
    }
  }
  yield* serverAsksFor(download, swarm, useful, now);
  if (download.asks.length > 0) download.busyAt = now;
  if (useful < FEW_PEERS && now - (download.soughtAt ?? now) >= ANNOUNCE_EVERY_MS)
    yield announce(download, now);
}

/** Asks the server for as much as peers leave to it. */
function* serverAsksFor(
  download: Download,
  swarm: Swarm,
  useful: number,
  now: number,
): Generator<Command, void, undefined> {
  if (now < download.serverRests) return;
  for (;;) {
    const sharing = download.share > 0;
    const free = maxServerAsks(download, swarm, useful, now);
    if (download.asksOf("server") >= Math.max(free, sharing ? 1 : 0)) return;
    const chunk = download.pick("server", now);
    if (chunk === undefined) return;
    if (sharing) download.share--;
    download.ask("server", chunk, now);
    yield { type: "fetch", object: download.shape.hash, chunk };
  }
}

/** Chunks that the server may be asked for at once: the fewest that keep the download from standing still. */
function maxServerAsks(download: Download, swarm: Swarm, useful: number, now: number): number {
  if (download.hopeless(now)) return SERVER_ASKS;
  const lasted = now - download.began;
  const seeking = [...swarm.peers.values()].some(({ open }) => !open) && lasted < SEEK_MS;
  // A peer that was just asked what it has may be about to answer.
  const answering = [...swarm.peers].some(
    ([id, { open, at }]) => open && !download.theirs.has(id) && now - Math.max(at, download.began) < SEEK_MS,
  );
  // No connected peer has anything that is missing here: we are the first, or ahead of them all.
  const ahead = useful === 0 && !seeking && !answering && (download.introduced || lasted >= SEEK_MS);
  if (ahead) return SERVER_ASKS;
  if (lasted >= SLOW_MS) return 1;
  if (!seeking && now - download.busyAt >= IDLE_MS) return 1;
  return 0;
}

/** Asks the server for introductions to those who have the object. */
export function announce(download: Download, now: number): Command {
  download.soughtAt = now;
  return { type: "announce", object: download.shape.hash };
}

function asksOf(source: Source, swarm: Swarm): number {
  let asks = 0;
  for (const download of swarm.downloads.values()) asks += download.asksOf(source);
  return asks;
}

/** When a decision of this file would come out differently, or an upload may go out (`uploads`); undefined for never. */
export function nextWake(swarm: Swarm, uploads: number | undefined, now: number): number | undefined {
  const times: number[] = [];
  const later = (at: number | undefined) => {
    if (at !== undefined && at > now) times.push(at);
  };
  later(uploads);
  for (const peer of swarm.peers.values()) {
    later(peer.lostAt);
    if (swarm.downloads.size > 0) later(peer.busyUntil);
  }
  for (const download of swarm.downloads.values()) {
    for (const { at } of download.asks) {
      later(at + HEDGE_MS);
      later(at + ASK_MS);
    }
    later(download.busyAt + IDLE_MS);
    later(download.began + SEEK_MS);
    for (const { at } of swarm.peers.values()) later(at + SEEK_MS);
    later(download.began + SLOW_MS);
    later(download.serverRests);
    if (download.soughtAt !== undefined) later(download.soughtAt + ANNOUNCE_EVERY_MS);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}
