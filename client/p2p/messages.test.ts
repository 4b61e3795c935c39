import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import {
  BadMessage,
  decodeMessage,
  encodeMessage,
  FRAME_BYTES,
  type Message,
  PIECE_BYTES,
} from "./messages.ts";

const object = "5a".repeat(32) as Hash;
const MESSAGES: Message[] = [
  { type: "want", object },
  { type: "done", object },
  { type: "gone", object },
  { type: "have", object, bits: Uint8Array.of(1, 2, 255) },
  { type: "got", object, chunk: 7 },
  { type: "ask", object, chunk: 0 },
  { type: "busy", object, chunk: 4_000 },
  { type: "piece", object, chunk: 3, offset: 65_536, bytes: new Uint8Array(PIECE_BYTES).fill(9) },
];

describe("K7: a message among peers", () => {
  it.each(MESSAGES)("$type survives the channel in one frame", (message) => {
    const frame = encodeMessage(message);
    expect(frame.length).toBeLessThanOrEqual(FRAME_BYTES);
    expect(decodeMessage(frame)).toEqual(message);
  });

  it.each(MESSAGES)("$type cut short or drawn out is refused", (message) => {
    const frame = encodeMessage(message);
    const fixed = message.type !== "have" && message.type !== "piece";
    if (fixed) expect(() => decodeMessage(frame.slice(0, -1))).toThrow(BadMessage);
    if (fixed) expect(() => decodeMessage(new Uint8Array([...frame, 0]))).toThrow(BadMessage);
    expect(() => decodeMessage(frame.slice(0, 33 - 1))).toThrow(BadMessage);
    expect(() => decodeMessage(new Uint8Array([...frame, ...new Uint8Array(FRAME_BYTES)]))).toThrow(
      BadMessage,
    );
  });

  it("of an unknown type, or of a chunk no object has, is refused", () => {
    const frame = encodeMessage({ type: "ask", object, chunk: 1 });
    expect(decodeMessage(frame)).toMatchObject({ type: "ask" }); // the control
    expect(() => decodeMessage(Uint8Array.of(8, ...frame.slice(1)))).toThrow(BadMessage);
    expect(() => decodeMessage(encodeMessage({ type: "ask", object, chunk: 20_000 }))).toThrow(BadMessage);
  });

  it("is read or refused, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = new Uint8Array(bytes);
        try {
          expect(encodeMessage(decodeMessage(frame))).toEqual(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(BadMessage);
        }
      }),
    );
  });
});
