import { expect, test } from "vitest";
import type { TicketId } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService, HASH, KEY } from "../../test/fake-service.ts";
import { READ_RATE } from "../net/limits.ts";
import { SharedReads } from "./shared-reads.ts";

const TICKET = "t".repeat(22) as TicketId;
const bytes = (length: number) => new Uint8Array(length);

test("a file is read once for all who ask at once, and kept for who asks later", async () => {
  const reads = new SharedReads({ bytes: 100, reading: 4 });
  let count = 0;
  const disk = Promise.withResolvers<void>();
  const read = async () => {
    count += 1;
    await disk.promise;
    return bytes(10);
  };
  const asked = Array.from({ length: 50 }, () => reads.read("a", read));
  disk.resolve();
  await Promise.all(asked);
  await reads.read("a", read);
  expect(count).toBe(1);
  expect(reads.bytes).toBe(10);
});

test("memory is bounded: the least recently asked for goes, and what is larger than all the room is not kept", async () => {
  const reads = new SharedReads({ bytes: 100, reading: 4 });
  let count = 0;
  const of = (length: number) => async () => {
    count += 1;
    return bytes(length);
  };
  await reads.read("a", of(40));
  await reads.read("b", of(40));
  await reads.read("a", of(40));
  await reads.read("c", of(40)); // b goes
  expect(reads.bytes).toBe(80);
  await reads.read("a", of(40));
  expect(count).toBe(3);
  await reads.read("b", of(40));
  expect(count).toBe(4);
  await reads.read("whole", of(101));
  await reads.read("whole", of(101));
  expect(count).toBe(6);
  expect(reads.bytes).toBeLessThanOrEqual(100);
});

test("only so many different files are read at once, and a failed read is forgotten", async () => {
  const reads = new SharedReads({ bytes: 100, reading: 2 });
  const disk = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const slow = [reads.read("a", () => disk.promise), reads.read("b", () => disk.promise)];
  await expect(reads.read("c", async () => bytes(1))).rejects.toMatchObject({ code: "too-many-requests" });
  disk.reject(new Error("the disk"));
  for (const one of slow) await expect(one).rejects.toThrow("the disk");
  expect(await reads.read("a", async () => bytes(1))).toHaveLength(1);
});

test("one address cannot download without end; another is not held up", async () => {
  let now = 0;
  const app = edge(new FakeService(), { proxies: 1, now: () => now });
  const ask = async (address: string) =>
    (await app.request("/api/diffs/2", { headers: { "x-forwarded-for": address } })).status;
  for (let i = 0; i < READ_RATE.burst; i++) expect(await ask("1.2.3.4")).toBe(200);
  expect(await ask("1.2.3.4")).toBe(429);
  expect(await ask("5.6.7.8")).toBe(200);
  now += 1_000;
  expect(await ask("1.2.3.4")).toBe(200);
});

test("A37: a record of many deltas counts as many downloads; the control: one of few does not", async () => {
  const service = new FakeService();
  const app = edge(service, { proxies: 1, now: () => 0 });
  const record = await service.versionRecord(3);
  const ask = async (address: string, path: string, merged: number) => {
    const entry = { ticket: TICKET, volunteer: KEY, delta: HASH, weight: 0.1 };
    service.versionRecord = async () => ({ ...record, merged: new Array(merged).fill(entry) });
    return (await app.request(path, { headers: { "x-forwarded-for": address } })).status;
  };
  for (const path of [ROUTES.version(3), ROUTES.proof(TICKET)]) {
    const [large, small] = [path === ROUTES.version(3) ? "1.2.3.4" : "1.2.3.5", "5.6.7.8"];
    let answered = 0;
    while ((await ask(large, path, 1_000)) === 200) answered++;
    expect(answered).toBeLessThan(READ_RATE.burst / 10);
    for (let asked = 0; asked < 2 * answered; asked++) expect(await ask(small, path, 8)).toBe(200);
  }
});
