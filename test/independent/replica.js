import { decodeFrame } from "./frame.js";
import { hashOf, layoutOf, readFile } from "./layout.js";

/** The volunteer's copy of the model: rules B1 to B3 of docs/PROTOCOL.md. */
export class Replica {
  #server;
  #manifest;
  #layout;
  #version;
  #weights;
  /** How often each way was taken: diffs that were applied, and snapshots. */
  taken = { diffs: 0, snapshots: 0 };

  constructor(server, manifest) {
    this.#server = server;
    this.#manifest = manifest;
    this.#layout = layoutOf(manifest.model);
    if (this.#layout.length !== manifest.parameters) throw new Error("the manifest counts other parameters");
  }

  /** The weights of a version, checked against its hash. The caller leaves them as they are. */
  async at(version, hash) {
    if (this.#weights === undefined || hashOf(this.#layout, this.#weights) !== hash) {
      this.#weights = (await this.#byDiffs(version, hash)) ?? (await this.#bySnapshot(hash));
    }
    this.#version = version;
    return this.#weights;
  }

  /** Undefined where the chain of diffs is missing, too long, or leads elsewhere. */
  async #byDiffs(version, hash) {
    if (this.#weights === undefined || this.#version >= version) return undefined;
    const weights = this.#weights.slice();
    let received = 0;
    for (let from = this.#version; from < version; from++) {
      const frame = await this.#server.bytes(`/api/diffs/${from}`).catch(() => undefined);
      received += frame?.length ?? Infinity;
      if (received > 4 * weights.length) return undefined; // the snapshot is less
      const diff = decodeFrame(frame, weights.length);
      for (let i = 0; i < weights.length; i++) weights[i] += diff[i]; // one addition in f32
      this.taken.diffs++;
    }
    return hashOf(this.#layout, weights) === hash ? weights : undefined;
  }

  async #bySnapshot(hash) {
    this.taken.snapshots++;
    return readFile(this.#layout, await this.#server.object(this.#manifest, `snapshots/${hash}`));
  }
}
