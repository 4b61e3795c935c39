import { expect, it } from "vitest";
import { BoundedOutput, MAX_WAITING, type Sink } from "./bounded-output.ts";

/** A stream whose reader takes what waits only when asked to. */
class Unread implements Sink {
  writableLength = 0;
  written = "";

  write(text: string): void {
    this.written += text;
    this.writableLength += text.length;
  }
}

const LINE = `${"x".repeat(99)}\n`;

it("A26: drops what is written to a reader that stopped reading, beyond a bound", () => {
  const sink = new Unread();
  const output = new BoundedOutput(sink);
  for (let i = 0; i < 100_000; i++) output.write(LINE);
  expect(sink.writableLength).toBeLessThanOrEqual(MAX_WAITING);
  expect(sink.writableLength).toBeGreaterThan(MAX_WAITING - LINE.length);
  for (let i = 0; i < 100_000; i++) sink.write(LINE); // the control: the stream itself takes everything
  expect(sink.writableLength).toBeGreaterThan(9 * MAX_WAITING);
});

it("says how many lines were dropped once the reader goes on", () => {
  const sink = new Unread();
  const output = new BoundedOutput(sink);
  output.write("x".repeat(MAX_WAITING));
  output.write(LINE);
  output.write(LINE);
  [sink.written, sink.writableLength] = ["", 0];
  output.write("next\n");
  output.write("last\n");
  expect(sink.written).toBe("(2 earlier lines were dropped: nobody read this output)\nnext\nlast\n");
});
