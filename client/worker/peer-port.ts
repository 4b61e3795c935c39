import { PeerBridge } from "../p2p/bridge.ts";
import type { Replica } from "./replica.ts";

/** Milliseconds the page's code for peers, about 100 KB, has to load; the first download else goes without it. */
const COMING_MS = 3_000;

/** The Worker's way to peers, which the page opens and closes as the visitor agrees and changes their mind. */
export class PeerPort {
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #came = Promise.withResolvers<void>();
  #bridge: PeerBridge | undefined;
  #replica: Replica | undefined;
  #expected = false;

  constructor(sleep: (ms: number, signal: AbortSignal) => Promise<void>) {
    this.#sleep = sleep;
  }

  /** A port is about to come: the first caller that asks for the bridge waits a moment. */
  expect(): void {
    this.#expected = true;
  }

  open(port: MessagePort | undefined): void {
    this.#bridge?.close();
    this.#bridge = port && new PeerBridge(port, (hash) => this.#replica?.fileOf(hash));
    this.#bridge?.setLatest(this.#replica?.hash);
    this.#expected = false;
    this.#came.resolve();
  }

  /** The newest version at hand, to pass on. */
  follow(replica: Replica): void {
    this.#replica = replica;
    this.#bridge?.setLatest(replica.hash);
  }

  async bridge(signal: AbortSignal): Promise<PeerBridge | undefined> {
    if (this.#expected) {
      await Promise.race([this.#came.promise, this.#sleep(COMING_MS, signal)]);
      this.#expected = false;
    }
    return this.#bridge;
  }
}
