import { expect, it } from "vitest";
import type { Json } from "./guards.ts";
import { count, list, message, object, onlyTrue, optional, orNull, record } from "./schema.ts";

const read = message({
  rows: list(object({ tokens: count, late: optional(count) }), 2),
  seen: orNull(record(count)),
  audits: onlyTrue,
});
const good: Json = { rows: [{ tokens: 1 }], seen: null };

it("drops unknown fields, and has no key for a field that is absent", () => {
  const given = { ...good, more: 1, rows: [{ tokens: 1, late: 2, more: 1 }, { tokens: 3 }] };
  const whole = read(given);
  expect(whole).toStrictEqual({ rows: [{ tokens: 1, late: 2 }, { tokens: 3 }], seen: null });
  expect(read({ ...good, audits: false })).toStrictEqual(good);
  expect(read({ ...good, audits: true, seen: { wasm: 2 } }).seen).toEqual({ wasm: 2 });
});

it.each([
  [{ ...good, rows: [{ tokens: 1 }, { tokens: -1 }] }, "rows[1].tokens"],
  [{ ...good, rows: [{ tokens: 1, late: null }] }, "rows[0].late"],
  [{ ...good, rows: [1] }, "rows[0]"],
  [{ ...good, rows: Array(3).fill({ tokens: 1 }) }, "rows"],
  [{ rows: [] }, "seen"],
  [{ ...good, seen: { wasm: 0.5 } }, "seen"],
  [{ ...good, audits: 1 }, "audits"],
])("names the field that is wrong in %j", (json, field) => {
  const message = expect.stringMatching(new RegExp(`^${field.replace(/\[(.)\]/, "\\[$1\\]")} must be `));
  expect(() => read(json)).toThrow(expect.objectContaining({ code: "bad-request", message }));
});
