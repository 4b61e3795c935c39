import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isVolunteerKey } from "../../protocol/ids.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import { KEY_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { verifyDirectory } from "../../server/cli/verify.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { nodeFiles } from "../../server/store/node-files.ts";
import { readOnlyStore } from "../../server/store/read-only.ts";
import { prose } from "../corpus-fixture.ts";
import { NatsCluster } from "../harness/nats-cluster.ts";
import { natsServer } from "../harness/nats-server.ts";
import { Seat } from "../harness/seat.ts";
import { BRIEF_RUN, runCommand } from "../harness/server-process.ts";
import { launchChromium } from "./launch.ts";

/** A version a delta, of steps that take a browser a moment. */
const RUN = { ...BRIEF_RUN, quorum: 1, steps: 20, learningRate: 0.001, rounds: { seconds: 0.5, batch: 1 } };
const PLACES = ["one", "other", "edge", "copy"] as const;
const MERGED = /([1-9]\d*) deltas? merged/;
const program = natsServer();

describe.skipIf(program === undefined)("a page at an edge of a run on three NATS nodes", () => {
  let directory: string;
  let cluster: NatsCluster;
  let browser: Browser;
  const seats: Seat[] = [];
  const at = (name: (typeof PLACES)[number]) => join(directory, name);
  const address = () => `nats://${cluster.addresses.join(",")}`;
  const where = () => ["--key", join(directory, "server.key"), "--unsafe"];
  const seat = (name: (typeof PLACES)[number], ...more: string[]) => {
    const flags = ["--data", at(name), "--cluster", address(), ...where(), ...more];
    const made = new Seat(join(directory, `${name}.log`), ...flags);
    seats.push(made);
    return made;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "murmuration-cluster-"));
    cluster = await NatsCluster.start(program ?? "", 3);
    await writeFile(join(directory, "run.json"), JSON.stringify(RUN));
    await writeFile(join(directory, "text.txt"), prose(60_000));
    await runCommand("corpus", "add", join(directory, "text.txt"), "--data", at("one"), "--vocab", "256");
    for (const name of PLACES.slice(1)) await cp(at("one"), at(name), { recursive: true });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    for (const one of seats) await one.end();
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("trains on while the server that leads and a node are killed, and its credit is right at the end", async () => {
    await (await cluster.connect()).close();
    const leader = seat("one", "--run", join(directory, "run.json"));
    const role = (of: Seat) => expect.poll(() => of.role, { timeout: 60_000 });
    await role(leader).toBe("leader");
    const [other, edge] = [seat("other"), seat("edge", "--edge")];
    for (const one of [other, edge]) await role(one).toBe("edge");

    const page = await browser.newPage();
    const [failures, receipts, keys] = [[] as string[], new Map<string, Receipt>(), new Set<string>()];
    page.on("pageerror", (error) => failures.push(error.message));
    page.on("request", (request) => keys.add(request.headers()[KEY_HEADER] ?? ""));
    page.on("requestfinished", async (request) => {
      if (!request.url().endsWith(ROUTES.deltas)) return;
      const response = await request.response();
      if (response?.status() !== 200) return;
      const { receipt }: { receipt: Receipt } = await response.json();
      receipts.set(receipt.ticket, receipt);
    });
    await page.goto(`${edge.origin}/?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    const merged = async () => Number(MERGED.exec((await page.locator(".numbers").textContent()) ?? "")?.[1]);
    await expect.poll(merged, { timeout: 60_000 }).toBeGreaterThan(0);

    // Not the edge, which the page is at, and which must go on with another leader.
    const before = receipts.size;
    await Promise.all([leader.kill(), cluster.kill(1)]);
    const leading = () => [leader, other].some((one) => one.role === "leader"); // what was killed is started again too
    await expect.poll(leading, { timeout: 60_000 }).toBe(true);
    await expect.poll(() => receipts.size, { timeout: 60_000 }).toBeGreaterThan(before + 2);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.locator("p.phase").getByText("Paused by you").waitFor();

    const [key = "", ...more] = [...keys].filter(isVolunteerKey);
    if (!isVolunteerKey(key)) throw new Error("no request was signed");
    expect(more).toEqual([]);
    const credit = async () => (await fetch(edge.origin + ROUTES.credit(key))).json();
    // What was acknowledged is not pending before the server that leads has counted it.
    const ended = async () => {
      const { pending, merged: credited, refused } = await credit();
      return pending === 0 && credited + refused >= receipts.size;
    };
    await expect.poll(ended, { timeout: 60_000 }).toBe(true);
    const { merged: credited, tokens } = await credit();
    await expect.poll(merged, { timeout: 60_000 }).toBe(credited);
    expect(failures).toEqual([]);

    // Held against the journal, of which an archive has a copy that verifies.
    await runCommand("archive", address(), at("copy"), ...where());
    await verifyDirectory(at("copy"));
    const [accepted, counted] = [new Map<string, number>(), [] as string[]];
    for await (const { record } of (await readOnlyStore(nodeFiles(at("copy")))).records()) {
      const { event } = decodeRecord(record);
      if (event.type === "accepted") accepted.set(event.ticket, event.tokens);
      if (event.type === "closed") counted.push(...event.merged.map(({ ticket }) => ticket));
    }
    expect([...receipts.keys()].filter((ticket) => !accepted.has(ticket))).toEqual([]);
    expect(counted.length).toBe(new Set(counted).size);
    expect(counted.length).toBe(credited);
    expect(counted.reduce((sum, ticket) => sum + (accepted.get(ticket) ?? 0), 0)).toBe(tokens);
  });
});
