import { describe, expect, it } from "vitest";
import { parseSignal } from "./signals.ts";

const dst = "p".repeat(22);
const sdp =
  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n";
const offer = {
  type: "OFFER",
  dst,
  payload: { sdp: { type: "offer", sdp }, type: "data", connectionId: "dc_abc", metadata: { any: "thing" } },
};
const candidate = {
  type: "CANDIDATE",
  dst,
  payload: {
    candidate: { candidate: "candidate:1 1 udp 1 127.0.0.1 5000 typ host", sdpMid: "0", sdpMLineIndex: 0 },
    type: "data",
    connectionId: "dc_abc",
  },
};
const read = (value: unknown) => parseSignal(new TextEncoder().encode(JSON.stringify(value)));

describe("K6: what may be signalled", () => {
  it("holds what opens a data channel, and nothing else", () => {
    expect(read(offer)).toEqual({
      type: "OFFER",
      dst,
      payload: {
        sdp: { type: "offer", sdp },
        type: "data",
        connectionId: "dc_abc",
        ...{ label: "murmuration", reliable: true, serialization: "raw" },
      },
    });
    expect(read(candidate)).toEqual(candidate);
    expect(read({ type: "LEAVE", dst, payload: "text" })).toEqual({ type: "LEAVE", dst });
    expect(read({ type: "HEARTBEAT", dst, payload: "text" })).toEqual({ type: "HEARTBEAT" });
  });

  const payload = (changes: object) => ({ ...offer, payload: { ...offer.payload, ...changes } });
  it.each([
    ["another type", { ...offer, type: "CHAT" }],
    ["the server's own type", { ...offer, type: "EXPIRE" }],
    ["nobody", { ...offer, dst: "" }],
    ["a name that is no id", { ...offer, dst: "server" }],
    ["text for a payload", { ...offer, payload: "hello" }],
    ["text for a description", payload({ sdp: "hello" })],
    ["an answer in an offer", payload({ sdp: { type: "answer", sdp } })],
    ["a description of prose", payload({ sdp: { type: "offer", sdp: "hello, how are you?" } })],
    ["a camera", payload({ sdp: { type: "offer", sdp: sdp.replace("m=application", "m=video") } })],
    ["a second stream", payload({ sdp: { type: "offer", sdp: `${sdp}m=audio 9 RTP 0\r\n` } })],
    ["too much of it", payload({ sdp: { type: "offer", sdp: sdp + "a=x\r\n".repeat(1_000) } })],
    ["a connection's name with more in it", payload({ connectionId: "a b" })],
    [
      "a candidate of prose",
      { ...candidate, payload: { ...candidate.payload, candidate: { candidate: "hello" } } },
    ],
  ])("is not %s", (_, value) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: "bad-request" }));
  });
});
