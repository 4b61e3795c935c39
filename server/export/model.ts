import { layoutOf } from "../../model/contract/layout.ts";
import { decodeSafetensors } from "../../model/data/safetensors.ts";
import { encodeGpt2Gguf } from "../../model/export/gpt2-gguf.ts";
import { huggingFaceFiles, type ModelFile } from "../../model/export/hugging-face.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { type About, aboutOf } from "./about.ts";
import { ggufCard, modelCard } from "./model-card.ts";

/** One version of a run's model, and all that another program needs to use it. */
export interface ExportedModel {
  readonly manifest: Pick<Manifest, "name" | "model" | "parameters" | "version" | "hash">;
  readonly about: About;
  /** The version's safetensors file, whose SHA-256 is `manifest.hash`. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array<ArrayBuffer>;
}

/** A run's current version. */
export const exportOf = (run: ExportedRun): ExportedModel => ({
  ...{ manifest: run.manifest(), about: aboutOf(run.status()) },
  ...{ file: run.latestSnapshot().bytes, tokenizer: run.tokenizer() },
});

interface ExportedRun {
  manifest(): Manifest;
  status(): RunStatus;
  latestSnapshot(): { readonly bytes: Uint8Array<ArrayBuffer> };
  tokenizer(): Uint8Array<ArrayBuffer>;
}

/** The folder that Hugging Face's tools open. Throws a ModelError. */
export function toHuggingFace({ manifest, about, file, tokenizer }: ExportedModel): ModelFile[] {
  const { model } = manifest;
  const files = huggingFaceFiles(model, decodeSafetensors(file, layoutOf(model)), tokenizer);
  return [...files, modelCard({ ...manifest, ...about })];
}

/** The file that llama.cpp opens. Throws a ModelError. */
export function toGguf(
  { manifest, about, file, tokenizer }: ExportedModel,
  type: "f32" | "f16",
): Uint8Array<ArrayBuffer> {
  const { name, model, version } = manifest;
  const weights = decodeSafetensors(file, layoutOf(model));
  return encodeGpt2Gguf({
    ...{ name: `${name}, version ${version}`, general: ggufCard(about) },
    ...{ shape: model, weights, tokenizer, type },
  });
}
