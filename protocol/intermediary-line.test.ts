import { expect, it } from "vitest";
import { intermediaryWith } from "./intermediary.ts";
import { intermediaryLine } from "./intermediary-line.ts";

it.each([
  [413, /^Something between you and the server answered 413: .*client_max_body_size/],
  [431, /answered 431: .*large_client_header_buffers/],
  [403, /answered 403: .*forbids/],
  [404, /answered 404: .*every path/],
  [502, /answered 502: .*behind it does not answer/],
  [418, /answered 418: .*log/],
])("a proxy's %i is shown with its status and what to do", (status, line) => {
  expect(intermediaryLine(intermediaryWith(status))).toMatch(line);
});

it("a login page, a redirect and a bad certificate are each named", () => {
  expect(intermediaryLine({ kind: "page", status: 200 })).toMatch(/answered 200: a web page came.*log in/);
  expect(intermediaryLine({ kind: "redirect", status: 302 })).toMatch(
    /answered 302: the answer was a redirect/,
  );
  expect(intermediaryLine({ kind: "redirect" })).toMatch(
    /^Something between .* elsewhere: the answer was a redirect/,
  );
  expect(intermediaryLine({ kind: "certificate" })).toMatch(/^The server’s certificate does not hold/);
});
