import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { followedFiles } from "../../test/harness/followed-files.ts";
import {
  advance,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  uploadOf,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import { VirtualTime } from "../../test/harness/virtual-time.ts";
import { parseServeFlags } from "../cli/flags.ts";
import { Assets } from "../http/assets.ts";
import { Curves } from "../operator/curves.ts";
import { App } from "./app.ts";
import { EdgeNode } from "./edge-node.ts";
import { edgeService } from "./edge-service.ts";
import { openMeters } from "./operator.ts";

const noText = async () => new Uint16Array();

/** A server that follows a run behind a proxy, and how its `/metrics` is asked. */
async function world(...more: string[]) {
  const time = new VirtualTime(onTestFinished);
  const corpus = await tinyCorpus();
  const leader = await tinyRun({ corpus });
  const { store, seams, listeners } = await followedFiles(leader.files);
  const texts = { corpus, heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 };
  let unread = async () => 2;
  const node = await EdgeNode.over({
    store: { ...store, refresh: () => store.refresh(), unread: () => unread() },
    ...{ corpus: { ...texts, refresh: async () => {} }, log: silentLog, task: vectorTask },
    time: { now: () => time.now, sleep: (ms, signal) => time.sleep(ms, signal) },
  });
  const flags = parseServeFlags([
    "--cluster",
    "nats://a",
    "--key",
    "k",
    "--data",
    ".",
    "--trust-proxy",
    ...more,
  ]);
  if (flags === "help") throw new Error("no flags");
  const meters = openMeters();
  const app = new App(flags, pino({ level: "silent" }), {
    curves: new Curves(),
    assets: new Assets([]),
    meters,
  });
  app.follow(node);
  onTestFinished(async () => {
    app.closing.abort();
    meters.delay.close();
    await node.close();
    await leader.run.close();
  });
  const ask = async (path: string, from = "127.0.0.1") =>
    app.fetch(new Request(new URL(path, "http://localhost"), { headers: { "x-forwarded-for": from } }));
  const metrics = async () => (await ask("/metrics")).text();
  const fail = () => {
    unread = () => Promise.reject(new Error("nobody answers"));
  };
  return { time, leader, node, seams, listeners, ask, metrics, fail };
}

test("an edge has /metrics of its own, for whoever may read the leader's, with its role", async () => {
  const { ask, metrics } = await world("--edge");
  expect((await ask("/metrics", "203.0.113.5")).status).toBe(404);
  expect(await metrics()).toContain('\nmurmuration_role{role="edge"} 1\n');
  expect(await (await world()).metrics()).toContain('\nmurmuration_role{role="standby"} 1\n');
});

test("it says which version it has, how far it is behind, whether one leads, and what it did", async () => {
  const { time, leader, node, listeners, ask, metrics, seams, fail } = await world();
  const volunteer = await TestVolunteer.create();
  await advance(volunteer, leader, 1);
  await time.until(time.sleep(2_000));
  const stream = await ask(ROUTES.events);
  const upload = uploadOf(await volunteer.ticket(leader.run));
  const refused = node.service.accept(volunteer.identity.key, "n".repeat(22) as never, upload);
  await expect(refused).rejects.toBeInstanceOf(ProtocolError);
  node.health.acknowledged();
  const text = await metrics();
  const figure = (name: string) => Number(new RegExp(`^murmuration_${name} (.*)$`, "m").exec(text)?.[1]);
  expect(figure("version")).toBe(1);
  expect(figure("receipts_total")).toBe(1);
  expect(text).toMatch(/^murmuration_deltas_refused_total\{code="[a-z-]+"\} 1$/m);
  expect(figure("leader_silent_seconds")).toBe(2);
  expect(figure("journal_lag_seconds")).toBeLessThan(1);
  expect([figure("journal_lag_messages"), figure("inbox_pending_messages")]).toEqual([2, 0]);
  expect([figure("event_listeners"), figure("connections")]).toEqual([1, 0]);
  expect(figure("disk_free_bytes")).toBeGreaterThan(0);
  await stream.body?.cancel();
  expect(await metrics()).toContain("\nmurmuration_event_listeners 0\n");

  for (const hear of listeners) hear({ from: "one", clock: 7, networkKey: new Uint8Array(32) });
  seams.beforeRefresh = () => Promise.reject(new Error("nobody answers"));
  fail();
  await time.until(time.sleep(5_000));
  const away = await metrics();
  expect(away).toContain("\nmurmuration_leader_silent_seconds 5\n");
  expect(away, "who cannot ask does not say that nothing waits").not.toContain("journal_lag_messages");
  expect(Number(/^murmuration_journal_lag_seconds (.*)/m.exec(away)?.[1])).toBeGreaterThan(4.5);
});

test("an edge counts a delta as acknowledged once its receipt is there, and no other", async () => {
  const { run } = await tinyRun();
  let receipts = 0;
  const acknowledged = () => void receipts++;
  const service = edgeService(run, { catchUp: async () => {}, mirror: undefined, acknowledged });
  const accept = () => service.accept("v" as never, "n" as never, { ticket: { version: 0 } } as never);
  run.accept = async () => ({ signature: "s" }) as never;
  await accept();
  expect(receipts).toBe(1);
  run.accept = () => Promise.reject(new ProtocolError("ticket-used", "it is"));
  await expect(accept()).rejects.toMatchObject({ code: "ticket-used" });
  expect(receipts).toBe(1);
  await run.close();
});
