import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { framePage } from "./page-frame.ts";

const folder = join(import.meta.dirname, "../pages");
const pages = readdirSync(folder).filter((name) => name.endsWith(".html"));

it.each(pages)("%s is one document, with its title and words of its own", (name) => {
  const source = readFileSync(join(folder, name), "utf8");
  const page = framePage(source);
  expect(page.match(/<!doctype html>|<title>|<head>|<body>|<\/html>/g)).toHaveLength(5);
  const noscript = /<noscript>.*<\/noscript>\n/.exec(source)?.[0] ?? "";
  expect(page).toContain(noscript);
  expect(page.indexOf("<title>")).toBeLessThan(page.indexOf("</head>"));
  if (noscript !== "") expect(page.indexOf(noscript)).toBeGreaterThan(page.indexOf("<body>"));
});
