import { expect, it } from "vitest";
import type { Hash, PeerId } from "../../protocol/ids.ts";
import { BUFFER_HIGH, type Channel } from "./channel.ts";
import { Channels } from "./channels.ts";
import { decodeMessage, PIECE_BYTES } from "./messages.ts";

const peer = "peer".padEnd(22, "_") as PeerId;
const object = "ab".repeat(32) as Hash;
const bytes = Uint8Array.from({ length: 3 * PIECE_BYTES + 7 }, (_, i) => i % 251);

/** A channel that keeps what it was sent, and its callback until the test calls it. */
function fake() {
  const state = { sent: [] as Uint8Array<ArrayBuffer>[], buffered: 0, low: () => {}, closed: false };
  const channel: Channel = {
    send: (frame) => void state.sent.push(frame),
    get buffered() {
      return state.buffered;
    },
    whenLow: (callback) => {
      state.low = callback;
    },
    close: () => {
      state.closed = true;
    },
  };
  return { state, channel };
}

it("sends a chunk in pieces, and counts every byte that goes out", () => {
  let count = 0;
  let isDone = false;
  const channels = new Channels((more) => {
    count += more;
  });
  const { state, channel } = fake();
  channels.add(peer, channel);
  channels.sendChunk(peer, object, 5, bytes, () => {
    isDone = true;
  });
  const pieces = state.sent.map((frame) => decodeMessage(frame));
  expect(pieces.map((piece) => piece.type === "piece" && piece.offset)).toEqual(
    [0, 1, 2, 3].map((n) => n * PIECE_BYTES),
  );
  expect(Buffer.concat(pieces.map((piece) => (piece.type === "piece" ? piece.bytes : bytes)))).toEqual(
    Buffer.from(bytes),
  );
  expect(count).toBe(state.sent.reduce((sum, frame) => sum + frame.length, 0));
  expect(isDone).toBe(true);
});

/** A chunk that is being sent over a channel whose buffer is full. */
function waiting() {
  const channels = new Channels(() => {});
  const { state, channel } = fake();
  channels.add(peer, channel);
  state.buffered = BUFFER_HIGH + 1;
  let isDone = false;
  channels.sendChunk(peer, object, 0, bytes, () => {
    isDone = true;
  });
  return { channels, state, isDone: () => isDone };
}

it("waits while the channel has too much in its buffer, and goes on from where it was", () => {
  const { state, isDone } = waiting();
  expect(state.sent).toEqual([]);
  state.buffered = 0;
  state.low();
  expect(state.sent).toHaveLength(4);
  expect(isDone()).toBe(true);
});

it("is done with a chunk whose channel was closed meanwhile", () => {
  const { channels, state, isDone } = waiting();
  channels.close(peer);
  expect(state.closed).toBe(true);
  state.low();
  expect(state.sent).toEqual([]);
  expect(isDone()).toBe(true);
});

it("closes a peer's earlier channel when it opens another", () => {
  const channels = new Channels(() => {});
  const [first, second] = [fake(), fake()];
  channels.add(peer, first.channel);
  channels.add(peer, second.channel);
  expect(first.state.closed).toBe(true);
  expect(second.state.closed).toBe(false);
  channels.send(peer, { type: "want", object });
  expect(second.state.sent).toHaveLength(1);
});
