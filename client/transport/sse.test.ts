import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { type StreamEvent, StreamParser } from "./sse.ts";

/** Feeds `text` cut after the given fractions of its bytes. */
function parse(text: string, cuts: readonly number[] = []): StreamEvent[] {
  const bytes = utf8(text);
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  const parser = new StreamParser();
  return edges.slice(1).flatMap((end, i) => parser.push(bytes.slice(edges[i], end)));
}

const chunking = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
/** Text without line ends, any script. */
const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ""));

describe("StreamParser", () => {
  test("reads events, joins data lines, ignores comments and unknown fields", () => {
    expect(parse(": hi\n\ndata: a\ndata:b\nid: 4\n\nevent: version\ndata: {}\n\ndata: unfinished")).toEqual([
      { type: "message", data: "a\nb" },
      { type: "version", data: "{}" },
    ]);
  });

  test("any events in any chunks with any line ends come out whole", () => {
    const event = fc.record({
      type: line.map((text) => text.trimStart() || "message"),
      data: fc.array(line, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 5 }), lineEnd, chunking, (events, end, cuts) => {
        const text = events
          .map(({ type, data }) =>
            [`event: ${type}`, ": a comment", ...data.map((part) => `data: ${part}`), "", ""].join(end),
          )
          .join("");
        const sent = events.map(({ type, data }) => ({ type, data: data.join("\n") }));
        expect(parse(text, cuts)).toEqual(sent);
      }),
    );
  });

  test("no bytes crash it, and chunking never changes what it says", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const whole = new StreamParser().push(concat(...chunks));
        const parser = new StreamParser();
        expect(chunks.flatMap((chunk) => parser.push(chunk))).toEqual(whole);
      }),
    );
  });

  test("an endless line is refused, long streams of comments and events are not", () => {
    const parser = new StreamParser();
    const flood = () => {
      for (let i = 0; i < 100; i++) parser.push(utf8("x".repeat(1_000)));
    };
    expect(flood).toThrow(RangeError);
    const patient = new StreamParser();
    for (let i = 0; i < 1_000; i++) patient.push(utf8(`: ${"still here ".repeat(20)}\n`));
    for (let i = 0; i < 1_000; i++)
      expect(patient.push(utf8(`data: ${"x".repeat(200)}\n\n`))).toHaveLength(1);
  });
});
