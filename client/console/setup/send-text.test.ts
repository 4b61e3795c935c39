import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { SETUP_ROUTES, TEXT_CHUNK_BYTES } from "../../../protocol/setup.ts";
import { type Ask, Refused } from "../api-client.ts";
import { sendText, type TextFile } from "./send-text.ts";

const BYTES = Uint8Array.from({ length: 2 * TEXT_CHUNK_BYTES + 5 }, (_, i) => 97 + (i % 26));
const HASH = createHash("sha256").update(BYTES).digest("hex");
const FILE: TextFile = {
  name: "a.txt",
  size: BYTES.length,
  slice: (start, end) => ({ arrayBuffer: async () => BYTES.slice(start, end).buffer }),
};

/** A server as the page sees it: `fails` answers are lost, before or after they took effect. */
let held: Uint8Array[];
let finished: unknown;
let fails: ("before" | "after")[];
let waits: number[];
let progress: [number, boolean][];
beforeEach(() => {
  held = [];
  finished = null;
  fails = [];
  waits = [];
  progress = [];
});

const received = () => held.reduce((sum, piece) => sum + piece.length, 0);
const ask: Ask = async (path, body) => {
  const fail = path === SETUP_ROUTES.state ? undefined : fails.shift();
  if (fail === "before") throw new TypeError("no network");
  const result = answer(path, body);
  if (fail === "after") throw new TypeError("no network");
  return result;
};
function answer(path: string, body: unknown) {
  if (path === SETUP_ROUTES.text) return { received: received(), sha256: finished };
  if (path === SETUP_ROUTES.state) return { upload: { received: received() } };
  if (path === SETUP_ROUTES.finish) {
    finished = body;
    return {};
  }
  if (!(body instanceof Uint8Array)) throw new Error("no bytes");
  if (path !== SETUP_ROUTES.chunk(received())) throw new Refused("wrong-offset", "no");
  held.push(body);
  return {};
}
const send = () =>
  sendText(FILE, {
    ask,
    wait: async (ms) => void waits.push(ms),
    onProgress: (bytes, away) => void progress.push([bytes, away]),
  });

describe("sending a text", () => {
  it("brings every piece, and the hash of the whole", async () => {
    await send();
    expect(Buffer.concat(held).equals(BYTES)).toBe(true);
    expect(finished).toEqual({ sha256: HASH });
    expect(progress.at(-1)).toEqual([BYTES.length, false]);
  });

  it("goes on from what is there, in the middle of a piece too, and still hashes the whole", async () => {
    held = [BYTES.slice(0, 1_234_567)];
    await send();
    expect(Buffer.concat(held).equals(BYTES)).toBe(true);
    expect(finished).toEqual({ sha256: HASH });
  });

  it.each([["before"], ["after"]] as const)(
    "waits for a server that is away, each answer lost %s it acted",
    async (when) => {
      fails = [when, when, when, when];
      await send();
      expect(Buffer.concat(held).equals(BYTES)).toBe(true);
      expect(finished).toEqual({ sha256: HASH });
      expect(waits.length).toBeGreaterThan(2);
      expect(progress).toContainEqual([0, true]);
    },
  );

  it("stops where the server says no", async () => {
    held = [BYTES.slice(0, 10)];
    const refusing: Ask = async (path, body) => {
      if (path.startsWith(SETUP_ROUTES.chunks)) throw new Refused("not-utf8", "byte 12");
      return ask(path, body);
    };
    const sending = sendText(FILE, { ask: refusing, wait: async () => {}, onProgress: () => {} });
    await expect(sending).rejects.toMatchObject({ code: "not-utf8" });
  });
});
