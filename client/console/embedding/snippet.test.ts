import { describe, expect, it } from "vitest";
import { asOrigin } from "./origin.ts";
import { badgeOf, policyOf, styleOf, tagOf, USUAL } from "./snippet.ts";

const SERVER = "https://train.example";

describe("the tag", () => {
  it("is short where all is as usual, and says the rest where it is not", () => {
    expect(tagOf(SERVER, USUAL, "sha384-x")).toBe(
      '<script defer src="https://train.example/embed.js"></script>',
    );
    const wishes = {
      label: "Help us",
      theme: "dark",
      share: 50,
      budget: 20,
      width: 300,
      pinned: true,
      ask: true,
    } as const;
    expect(tagOf(SERVER, wishes, "sha384-x").replace(/\s+/g, " ")).toBe(
      '<script defer src="https://train.example/embed.js" data-label="Help us" data-theme="dark" data-share="0.5" ' +
        'data-budget="20MB" data-ask integrity="sha384-x" crossorigin="anonymous"></script>',
    );
    const width = "murmuration-swarm { --murmuration-width: 300px; }";
    expect(styleOf(SERVER, wishes)).toBe(`${styleOf(SERVER, USUAL)}\n${width}`);
  });

  it("keeps a label within its attribute", () => {
    const tag = tagOf(SERVER, { ...USUAL, label: '"><script>alert(1)</script>' }, undefined);
    expect(tag).toContain('data-label="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
  });

  it("is pinned only when the loader's hash is known", () => {
    expect(tagOf(SERVER, { ...USUAL, pinned: true }, undefined)).not.toContain("integrity");
  });
});

it("a badge names its site", () => {
  expect(badgeOf(SERVER, "blog.example")).toContain(
    'src="https://train.example/badge.svg?site=https%3A%2F%2Fblog.example"',
  );
  expect(badgeOf(SERVER, "")).toContain('src="https://train.example/badge.svg"');
  expect(policyOf(SERVER)).toBe(
    "script-src https://train.example;\nframe-src https://train.example;\nimg-src https://train.example",
  );
  const under = `${SERVER}/train`;
  expect(policyOf(under)).toBe(policyOf(SERVER));
  expect(tagOf(under, USUAL, undefined)).toContain(`src="${under}/embed.js"`);
});

it.each([
  ["blog.example", "https://blog.example"],
  ["https://blog.example/a/page?x", "https://blog.example"],
  ["http://localhost:81", "http://localhost:81"],
  ["", undefined],
  ["https://a.example;script-src", undefined],
  ["javascript:alert(1)", undefined],
  ['"><img>', undefined],
])("%j is the site %j", (typed, origin) => expect(asOrigin(typed)).toBe(origin));
