import { ModelError } from "../contract/config.ts";

/** Names a foreign file with the name of one of ours, and what to do about it; undefined where nothing shows it. */
export function otherForm(file: Uint8Array): string | undefined {
  const begins = (text: string) => text.split("").every((one, i) => file[i] === one.charCodeAt(0));
  if (begins("version https://git-lfs")) {
    return "a Git LFS pointer, which stands for a file that was not downloaded: run `git lfs pull` in its folder";
  }
  if (begins("GGUF")) {
    return "a GGUF, which keeps weights for llama.cpp: take the model's safetensors, from which it was made";
  }
  if (begins("PK\u0003\u0004") || begins("\u0080\u0002")) {
    return "PyTorch's pickle: load it with Transformers and save_pretrained(FOLDER), which writes safetensors";
  }
  if (begins("<!DOCTYPE") || begins("<html")) return "a web page: the download went wrong";
  return undefined;
}

/** A file's JSON object. Throws `bad-file`, which says what the file is where that shows. */
export function jsonOf(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  const wrong = otherForm(bytes);
  if (wrong !== undefined) throw new ModelError("bad-file", `${name} is no JSON: it is ${wrong}`);
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  } catch {
    // said below
  }
  throw new ModelError("bad-file", `${name} is no JSON object`);
}
