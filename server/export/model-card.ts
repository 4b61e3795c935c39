import type { GgufValue } from "../../model/export/gguf.ts";
import type { ModelFile } from "../../model/export/hugging-face.ts";
import { accuracyOf } from "../../protocol/answers.ts";
import { bitsPerByte } from "../../protocol/bits-per-byte.ts";
import { utf8 } from "../../protocol/bytes.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { HeldOutPoint } from "../../protocol/status.ts";
import type { About } from "./about.ts";
import { licenceIdentifier } from "./licence.ts";

export type Described = Pick<Manifest, "name" | "version" | "hash" | "parameters"> & About;

const TAGS = ["gpt2", "text-generation", "distributed-training", "murmuration"];

/** README.md as Hugging Face's hub reads it: a header in YAML, and Markdown in which all that an operator wrote is text. */
export function modelCard(run: Described): ModelFile {
  const header = Object.entries(headerOf(run)).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return { name: "README.md", bytes: utf8(`---\n${header.join("\n")}\n---\n\n${bodyOf(run)}`) };
}

/** YAML's flow style has JSON within it, and no character that the two read differently gets into a card. */
function headerOf(run: Described): object {
  const { card, heldOut } = run;
  return {
    ...(card.modelLicence !== undefined && licenceOf(card.modelLicence)),
    ...(card.language !== undefined && { language: card.language.split(", ") }),
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: TAGS,
    ...(heldOut !== undefined && modelIndex(run, heldOut)),
  };
}

function licenceOf(licence: string): object {
  const id = licenceIdentifier(licence);
  return id === undefined ? { license: "other", license_name: licence } : { license: id };
}

function modelIndex({ name, bytesPerToken, questions }: Described, { loss, right }: HeldOutPoint): object {
  const task = { type: "text-generation" };
  const bits = bitsPerByte(loss, bytesPerToken);
  const measured = [
    { type: "perplexity", name: "Perplexity a token", value: Math.exp(loss) },
    { type: "loss", name: "Nats a token", value: loss },
    ...(bits === undefined ? [] : [{ type: "bits_per_byte", name: "Bits a byte", value: bits }]),
  ];
  const results: object[] = [
    { task, dataset: { type: "held-out", name: "Held-out text of the run" }, metrics: measured },
  ];
  if (right === undefined || questions === null) {
    return { metrics: ["perplexity"], "model-index": [{ name, results }] };
  }
  const { accuracy, error } = accuracyOf(right, questions);
  const metrics = [{ type: "accuracy", name: `Accuracy ± ${error.toFixed(3)}`, value: accuracy }];
  results.push({ task, dataset: { type: "multiple-choice", name: "Questions of the run" }, metrics });
  return { metrics: ["perplexity", "accuracy"], "model-index": [{ name, results }] };
}

function bodyOf(run: Described): string {
  const { name, version, hash, parameters, operator, card, tokensMerged } = run;
  const said = (title: string, text: string | undefined) =>
    text === undefined ? [] : [`- ${title}: ${asMarkdown(text)}`];
  const linked = (title: string, address: string | undefined) =>
    address === undefined ? [] : [`- ${title}: <${address}>`];
  const count = (value: number) => value.toLocaleString("en");
  const parts = [
    `# ${asMarkdown(name)}`,
    ...(card.purpose === undefined ? [] : [asMarkdown(card.purpose)]),
    ...(card.description?.split("\n\n").map(asMarkdown) ?? []),
    [
      ...said("Operator", operator === "" ? undefined : operator),
      ...said("Who", card.who),
      ...linked("Contact", card.contact),
      ...linked("More", card.link),
      ...said("Text", card.textSource),
      ...said("Licence of the text", card.textLicence),
      ...said("Licence of the model", card.modelLicence),
      `- Version ${version}, ${count(parameters)} parameters, after ${count(tokensMerged)} tokens`,
      ...measuredLine(run),
      ...answersLine(run),
      `- SHA-256 of the version: \`${hash}\``,
    ].join("\n"),
    "Trained from the first step in volunteers’ browsers, with Murmuration.",
  ];
  return `${parts.join("\n\n")}\n`;
}

function measuredLine({ heldOut, bytesPerToken }: Described): string[] {
  if (heldOut === undefined) return [];
  const bits = bitsPerByte(heldOut.loss, bytesPerToken);
  const more = bits === undefined ? "" : `, ${bits.toFixed(4)} bits a byte`;
  return [
    `- Held-out loss: ${heldOut.loss.toFixed(4)} nats a token${more}, measured at version ${heldOut.version}`,
  ];
}

function answersLine({ heldOut, questions }: Described): string[] {
  if (heldOut?.right === undefined || questions === null) return [];
  const { accuracy, error } = accuracyOf(heldOut.right, questions);
  const percent = (part: number) => `${(100 * part).toFixed(1)}%`;
  const chance = `where guessing has ${percent(questions.chance)}`;
  return [
    `- Multiple-choice questions answered right: ${percent(accuracy)} ± ${percent(error)} of ${questions.questions}, ${chance}`,
  ];
}

/** A line's characters that Markdown, HTML or mathematics could take for markup, escaped: it shows as it was written. */
function asMarkdown(line: string): string {
  return line
    .replace(/[\\`*_{}[\]()<>#|~&$!^=:@]/g, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2")
    .replace(/^[-+]/, "\\$&");
}

/** The same for a GGUF file: its `general.` keys (ggml-org/ggml, docs/gguf.md). */
export function ggufCard({ operator, card }: About): [string, GgufValue][] {
  const text = (key: string, value: string | undefined): [string, GgufValue][] =>
    value === undefined || value === "" ? [] : [[`general.${key}`, { type: "string", value }]];
  const list = (key: string, value: readonly string[]): [string, GgufValue][] =>
    value.length === 0 ? [] : [[`general.${key}`, { type: "string[]", value }]];
  const licence = card.modelLicence;
  const id = licence === undefined ? undefined : licenceIdentifier(licence);
  return [
    ...text("description", [card.purpose, card.description].filter((one) => one !== undefined).join("\n\n")),
    ...text("author", card.who ?? operator),
    ...text("url", card.link),
    ...text("license", licence === undefined ? undefined : (id ?? "other")),
    ...text("license.name", id === undefined ? licence : undefined),
    ...list("tags", TAGS),
    ...list("languages", card.language?.split(", ") ?? []),
  ];
}
