import { describe, expect, it } from "vitest";
import { here, serverOf, serverTyped } from "./address.ts";
import { ROUTES } from "./routes.ts";

describe("a server's address", () => {
  it.each([
    ["https://train.example/", "https://train.example"],
    ["https://train.example/status?x=/a/b#c/d", "https://train.example"],
    ["https://host.example:8443/train/", "https://host.example:8443/train"],
    ["https://host.example/train/operator#link=abc", "https://host.example/train"],
    ["https://host.example/a/b/frame", "https://host.example/a/b"],
  ])("of the page %s is %s", (page, server) => {
    expect(serverOf(page)).toBe(server);
    expect(new URL(here(ROUTES.run), page).href).toBe(`${server}${ROUTES.run}`);
  });

  it.each([
    ["https://train.example", "https://train.example"],
    ["https://host.example/train", "https://host.example/train"],
    ["https://host.example/train/", "https://host.example/train"],
    ["https://host.example/a/b//?x#y", "https://host.example/a/b"],
    ["http://[::1]:8080/", "http://[::1]:8080"],
    ["https://host.example/status?x", "https://host.example"],
    ["https://host.example/train/operator#link=abc", "https://host.example/train"],
    ["https://host.example/status/", "https://host.example/status"],
  ])("typed as %s is %s", (text, server) => {
    expect(serverTyped(text)).toBe(server);
  });

  it.each(["train.example", "ftp://train.example/", ""])("is not taken from %j", (text) => {
    expect(serverTyped(text)).toBeUndefined();
  });
});
