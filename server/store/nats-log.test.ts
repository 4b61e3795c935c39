import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { LossyConnection } from "../../test/harness/lossy-connection.ts";
import { describeOnNats } from "../../test/harness/nats-nodes.ts";
import { NatsLog } from "./nats-log.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const PUBLISH = /\.log$/;
const LOOK = /\.MSG\.GET\./;

describeOnNats("the journal's stream, whose node dies", (nats) => {
  let streams = 0;

  const open = async () => {
    const stream = `L${streams++}`;
    const lossy = new LossyConnection(nats.connection);
    const log = await NatsLog.open({
      ...{ connection: lossy.connection, stream, subject: `${stream}.log`, replicas: 1, writer: "w" },
      ...{ reading: false, sleep: (ms: number) => sleep(ms), mend: (read) => read() },
    });
    const count = async () =>
      (await (await jetstreamManager(nats.connection)).streams.info(stream)).state.messages;
    return { log, lossy, count };
  };

  test("a block is stored within two seconds after questions are answered again", async () => {
    const { log, lossy, count } = await open();
    let elects = true;
    const before = lossy.asked.length;
    lossy.fate = () => (elects ? "lost" : undefined);
    const appended = log.append([utf8("0")]);
    const looks = () => expect(lossy.asked.length).toBe(before + 2); // the first look is under way
    await vi.waitFor(looks, { timeout: 10_000, interval: 10 });
    elects = false;
    const since = performance.now();
    expect(await appended).toBe(0);
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(await count()).toBe(2); // one made this log its stream's writer
  });

  test("a block that was stored is stored once, however often its answer is lost, and its writer stays the writer", async () => {
    const { log, lossy, count } = await open();
    // Its second sending finds another tail than it expects, and nobody says at once that this is the first.
    let [sent, looked] = [0, 0];
    lossy.fate = (subject) => {
      if (PUBLISH.test(subject)) return sent++ === 0 ? "answer-lost" : undefined;
      return LOOK.test(subject) && looked++ < 2 ? "refused" : undefined;
    };
    expect(await log.append([utf8("0"), utf8("1")])).toBe(0);
    expect([sent, looked]).toEqual([3, 3]);
    expect(log.deposed.aborted).toBe(false);
    expect(await log.append([utf8("2")])).toBe(2);
    expect(await count()).toBe(3);
    // The control: what another has appended meanwhile deposes it.
    const other = log.blocks.at(-1)?.seq ?? 0;
    await nats.connection.request(lossy.asked.findLast((subject) => PUBLISH.test(subject)) ?? "", utf8("x"));
    await expect(log.append([utf8("3")])).rejects.toMatchObject({ code: "not-durable" });
    expect(log.deposed.aborted).toBe(true);
    expect(log.blocks.at(-1)?.seq).toBe(other);
  });
});
