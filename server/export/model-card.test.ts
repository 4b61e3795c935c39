import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Hash } from "../../protocol/ids.ts";
import { licenceIdentifier } from "./licence.ts";
import { type Described, ggufCard, modelCard } from "./model-card.ts";

const RUN: Described = {
  name: "Moby Dick, nightly",
  version: 160,
  hash: "4".repeat(64) as Hash,
  parameters: 285_312,
  operator: "The Reading Room",
  tokensMerged: 3_276_800,
  bytesPerToken: 2.5,
  questions: null,
  heldOut: { version: 158, tokens: 3_000_000, loss: 3.1 },
  card: {
    purpose: "A model that writes like the sea.",
    description: "One.\n\nTwo.",
    link: "https://reeds.example/",
    contact: "mailto:ann@reeds.example",
    language: "en, de",
    textSource: "Moby-Dick",
    textLicence: "public domain",
    modelLicence: "CC BY-SA 4.0",
  },
};

function read(run: Described) {
  const text = new TextDecoder().decode(modelCard(run).bytes);
  const [, header = "", body = ""] = /^---\n(.*?)\n---\n\n(.*)$/s.exec(text) ?? [];
  return { header: parse(header, { strict: true }), body };
}

test("a model card has a header that YAML parses, with what Hugging Face's hub asks for", () => {
  const { header, body } = read(RUN);
  expect(header).toMatchObject({
    license: "cc-by-sa-4.0",
    language: ["en", "de"],
    library_name: "transformers",
    pipeline_tag: "text-generation",
    metrics: ["perplexity"],
  });
  expect(header.tags).toContain("gpt2");
  const [{ name, results }] = header["model-index"];
  expect(name).toBe(RUN.name);
  expect(results[0].metrics.map(({ value }: { value: number }) => value)).toEqual([
    ...[Math.exp(3.1), 3.1],
    3.1 / Math.LN2 / 2.5,
  ]);
  expect(body).toContain("\nA model that writes like the sea.\n\nOne.\n\nTwo.\n\n");
  expect(body).toContain("- Contact: <mailto:ann@reeds.example>\n");
  expect(body).toContain("3.1000 nats a token, 1.7889 bits a byte, measured at version 158");
  const unknown = read({ ...RUN, bytesPerToken: null });
  expect(unknown.header["model-index"][0].results[0].metrics).toHaveLength(2);
  expect(unknown.body).not.toContain("bits a byte");
});

test("a run whose versions answer questions has its accuracy and its error in the card", () => {
  const heldOut = { ...RUN.heldOut!, right: 100 };
  const { header, body } = read({ ...RUN, heldOut, questions: { questions: 200, chance: 0.25 } });
  expect(header.metrics).toEqual(["perplexity", "accuracy"]);
  expect(header["model-index"][0].results[1].metrics).toEqual([
    { type: "accuracy", name: "Accuracy ± 0.035", value: 0.5 },
  ]);
  expect(body).toContain("50.0% ± 3.5% of 200, where guessing has 25.0%");
});

test("a card that says nothing has neither licence nor language, and a run without a measurement no metrics", () => {
  const { header, body } = read({ ...RUN, card: {}, heldOut: undefined });
  expect(Object.keys(header)).toEqual(["library_name", "pipeline_tag", "tags"]);
  expect(body).not.toContain("undefined");
});

test("an operator's words stay text: no line of theirs ends the header, and none is markup", () => {
  const evil = '"\n---\n# <img src=x onerror=alert(1)> [x](javascript:1) `a` *b* $c$ 1. x: {y} | & \\';
  const line = evil.replaceAll("\n", " ");
  const { header, body } = read({
    ...{ ...RUN, name: evil, operator: evil },
    card: { purpose: line, description: `${line}\n\n- a\n\n1. b`, modelLicence: line },
  });
  expect(header).toMatchObject({ license: "other", license_name: line });
  expect(header["model-index"][0].name).toBe(evil);
  const unescaped = body.replace(/\\[!-/:-@[-`{-~]/g, "");
  expect(unescaped).not.toMatch(/[<>[\]*_$|&{}]/);
  expect(unescaped.match(/^#.*$/gm)).toHaveLength(1); // its own title
  expect(body).toContain("\n\\- a\n\n1\\. b\n");
});

test.each([
  ["MIT", "mit"],
  ["Apache 2.0", "apache-2.0"],
  ["Apache License, version 2.0", undefined],
  ["Apache License 2.0", "apache-2.0"],
  ["CC BY 4.0", "cc-by-4.0"],
  ["cc0-1.0", "cc0-1.0"],
  ["GPL v3.0", "gpl-3.0"],
  ["all mine", undefined],
])("the licence %j has the hub's identifier %j", (licence, id) =>
  expect(licenceIdentifier(licence)).toBe(id),
);

test("a GGUF file says what the card says, by the keys of its format", () => {
  expect(Object.fromEntries(ggufCard(RUN).map(([key, { value }]) => [key, value]))).toEqual({
    "general.description": "A model that writes like the sea.\n\nOne.\n\nTwo.",
    "general.author": "The Reading Room",
    "general.url": "https://reeds.example/",
    "general.license": "cc-by-sa-4.0",
    "general.tags": expect.arrayContaining(["gpt2"]),
    "general.languages": ["en", "de"],
  });
  const own = ggufCard({ ...RUN, card: { modelLicence: "all mine" } });
  expect(own).toContainEqual(["general.license.name", { type: "string", value: "all mine" }]);
});
