import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { F32 } from "../protocol/codec/codec.ts";
import { isErrorCode } from "../protocol/errors.ts";
import { encodeFrame } from "../protocol/frame.ts";
import { asObject, parseJson } from "../protocol/guards.ts";
import type { TicketId } from "../protocol/ids.ts";
import { ROUTES } from "../protocol/routes.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { encodeUpload } from "../protocol/upload.ts";
import { type Listening, listen } from "../server/net/listen.ts";
import { decodeRecord } from "../server/run/record.ts";
import { edge, RECIPIENT, signedPost } from "./edge.ts";
import { HttpVolunteer } from "./harness/http-volunteer.ts";
import {
  deltaOf,
  reportOf,
  restart,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
} from "./harness/tiny-run.ts";

/**
 * A drain that is asked for in the middle of uploads, over real sockets: whoever is sending gets a receipt or a refusal
 * with a code, what was receipted is merged before the run pauses, and none of it twice.
 */
const VOLUNTEERS = 7;
let tiny: TinyRun;
let server: Listening;
let volunteers: HttpVolunteer[];
beforeEach(async () => {
  tiny = await tinyRun({ settings: tinySettings({ quorum: 3 }) });
  server = await listen(edge(tiny.run), { host: "127.0.0.1", port: 0 });
  const send = (path: string, init: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
  volunteers = await Promise.all(Array.from({ length: VOLUNTEERS }, () => HttpVolunteer.create(send)));
});
afterEach(() => server.close(100));

/** What became of an upload: its ticket's receipt, or a refusal's code. */
interface Outcome {
  readonly ticket: TicketId;
  readonly refused?: string;
}

/** Sends the first half of an upload, so that it is under way; `finish` sends the rest. */
async function begin(volunteer: HttpVolunteer, ticket: Ticket, values: Float32Array) {
  const body = encodeUpload(ticket, reportOf(ticket), encodeFrame(F32, values));
  const { run, server: key } = tiny.run.manifest();
  const to = { ...RECIPIENT, run, server: key };
  const { method, headers } = await signedPost(volunteer.identity, ROUTES.deltas, body, ticket.id, to);
  const half = body.length >> 1;
  const sending = request({
    ...{ host: "127.0.0.1", port: server.port, path: ROUTES.deltas, method },
    headers: { ...headers, "content-length": body.length, expect: "100-continue" },
  });
  sending.flushHeaders();
  await once(sending, "continue"); // the server knows of it: what nobody has read yet is no upload under way
  const answered = once(sending, "response");
  answered.catch(() => {}); // finish() tells of it
  await new Promise((resolve) => sending.write(body.subarray(0, half), resolve));
  return {
    async finish(): Promise<Outcome> {
      sending.end(body.subarray(half));
      const [response] = await answered;
      const said = parseJson(new TextEncoder().encode(await text(response)));
      if (response.statusCode === 200) {
        expect(asObject(said.receipt, "receipt")).toMatchObject({ ticket: ticket.id });
        return { ticket: ticket.id };
      }
      const { code } = asObject(said.error, "error");
      if (!isErrorCode(code)) throw new Error("a refusal without a code");
      return { ticket: ticket.id, refused: code };
    },
  };
}

/** Everybody has sent half; one has taken so long that its lease is over, and one sends what is no training. */
async function halfSent() {
  const [late, wild] = [volunteers[0]!, volunteers[1]!];
  const lateTicket = await late.ticket();
  tiny.clock.ms += 61_000;
  tiny.run.tick();
  const uploads = await Promise.all(
    volunteers.map(async (volunteer, i) => {
      if (volunteer === late) return begin(volunteer, lateTicket, deltaOf(i));
      const values = volunteer === wild ? new Float32Array(10).fill(1e9) : deltaOf(i);
      return begin(volunteer, await volunteer.ticket(), values);
    }),
  );
  return uploads;
}

/** Time goes on until the run rests. */
const rested = () =>
  until(() => {
    tiny.clock.ms += 100;
    tiny.run.tick();
    return tiny.run.status().state === "paused";
  });

/** How often the journal merges each ticket, and which it accepted: by what the disk holds. */
async function journaled({ options }: TinyRun) {
  const accepted: TicketId[] = [];
  const merged: TicketId[] = [];
  for await (const { record } of options.store.records()) {
    const { event } = decodeRecord(record);
    if (event.type === "accepted") accepted.push(event.ticket);
    if (event.type === "closed") merged.push(...event.merged.map(({ ticket }) => ticket));
  }
  return { accepted: accepted.sort(), merged: merged.sort() };
}

const receiptedOf = (outcomes: readonly Outcome[]) =>
  outcomes
    .filter(({ refused }) => refused === undefined)
    .map(({ ticket }) => ticket)
    .sort();

describe("a drain in the middle of uploads", () => {
  it("A1: answers each with a receipt or a code, merges what it receipted, and then pauses", async () => {
    const uploads = await halfSent();
    await tiny.run.admin.drain();
    await expect(volunteers[5]!.ticket()).rejects.toMatchObject({
      code: "run-paused",
      retryAfterMs: expect.any(Number),
    });
    tiny.run.tick();
    expect(tiny.run.status().state).toBe("running"); // it waits for who is sending
    const outcomes = await Promise.all(uploads.map(({ finish }) => finish()));
    expect(outcomes.map(({ refused }) => refused)).toEqual([
      "lease-expired",
      "norm-too-large",
      ...Array(VOLUNTEERS - 2).fill(undefined),
    ]);
    await rested();
    const receipted = receiptedOf(outcomes);
    expect(receipted).toHaveLength(VOLUNTEERS - 2);
    expect(await journaled(tiny)).toEqual({ accepted: receipted, merged: receipted });
    for (const { identity } of volunteers.slice(2)) {
      expect(tiny.run.credit(identity.key)).toMatchObject({ merged: 1, pending: 0 });
    }
    const { modelHash, version } = tiny.run.status();
    const again = await restart(tiny);
    expect(again.run.status()).toMatchObject({ modelHash, version, state: "paused" });
    await again.run.close();
  });

  it("A1, the control: a pause at the same moment receipts the same, and leaves it waiting", async () => {
    const uploads = await halfSent();
    await tiny.run.admin.pause();
    const outcomes = await Promise.all(uploads.map(({ finish }) => finish()));
    const receipted = receiptedOf(outcomes);
    expect(receipted).toHaveLength(VOLUNTEERS - 2);
    await rested();
    expect(await journaled(tiny)).toEqual({ accepted: receipted, merged: [] });
    // Nothing is lost by it: with the run going on, all of it is merged.
    await tiny.run.admin.resume();
    await until(() => {
      tiny.clock.ms += 100;
      tiny.run.tick();
      return tiny.run.status().deltas.merged === receipted.length;
    });
    expect((await journaled(tiny)).merged).toEqual(receipted);
  });
});

describe("a server that stops in the middle of uploads", () => {
  it("A1: lets them end, and keeps what it receipted for the next start", async () => {
    const uploads = await halfSent();
    const stopping = server.close(10_000);
    const outcomes = await Promise.all(uploads.map(({ finish }) => finish()));
    await stopping;
    await tiny.run.close();
    const receipted = receiptedOf(outcomes);
    expect(receipted).toHaveLength(VOLUNTEERS - 2);
    const again = await restart(tiny);
    await until(() => {
      again.clock.ms += 100;
      again.run.tick();
      return again.run.status().deltas.merged === receipted.length;
    });
    expect((await journaled(again)).merged).toEqual(receipted);
    await again.run.close();
  });

  it("A1, the control: one that waits for nobody breaks them off", async () => {
    const uploads = await halfSent();
    await server.close(0);
    const ends = await Promise.allSettled(uploads.map(({ finish }) => finish()));
    expect(ends.map(({ status }) => status)).toEqual(Array(VOLUNTEERS).fill("rejected"));
  });
});
