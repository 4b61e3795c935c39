import { layoutOf } from "../../model/contract/layout.ts";
import type { DeviceName } from "../../model/contract/trainer.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Cache } from "../cache/cache.ts";
import type { Control } from "./control.ts";
import type { RunParts } from "./deps.ts";
import { type Candidate, idOf } from "./device/candidate.ts";
import { describeHost } from "./device/platform.ts";
import { ProbedTrainers } from "./device/probed-trainers.ts";
import type { Report } from "./messages.ts";
import { modelFile } from "./model-file.ts";
import { monotonic, sleep } from "./time.ts";

export interface OpenOptions {
  readonly manifest: Manifest;
  readonly cache: Cache;
  readonly identity: Identity;
  readonly candidates: readonly Candidate[];
  readonly only: DeviceName | undefined;
  readonly control: Control;
  readonly report: (report: Report) => void;
}

/** A language run's parts on this side. Throws `wrong-shape` for a manifest at odds with itself. */
export async function openLanguageRun(options: OpenOptions): Promise<RunParts> {
  const { manifest, cache, identity, candidates } = options;
  const { model: shape, optimizer, parameters } = manifest;
  const layout = layoutOf(shape);
  if (layout.length !== parameters) {
    throw new ProtocolError("wrong-shape", `the model has ${layout.length} parameters, not ${parameters}`);
  }
  const description = await describeHost(shape, candidates.map(idOf));
  const timing = { clock: monotonic, sleep, today: Date.now };
  return {
    cache,
    identity,
    file: modelFile(layout),
    trainers: new ProbedTrainers({ ...options, ...timing, options: { shape, optimizer }, description }),
    openAuditor: async (inner = optimizer.inner ?? "adamw") => {
      const { createWasmTrainer } = await import("../../model/engine/wasm/trainer.ts");
      const { batch } = manifest;
      return createWasmTrainer({ shape, optimizer: { ...optimizer, inner }, batch, deterministic: true });
    },
    loadTokenizer: async (json) => (await import("../../model/data/tokenizer.ts")).loadTokenizer(json),
  };
}
