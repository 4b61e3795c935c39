import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { expect, test, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { LossyConnection } from "../../test/harness/lossy-connection.ts";
import { describeOnNats } from "../../test/harness/nats-nodes.ts";
import { NatsObjects } from "./nats-objects.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
/** An object's description, as it is published. */
const DESCRIPTION = /^\$O\.\w+\.M\./;

describeOnNats("stored objects, where answers are lost", (nats) => {
  let buckets = 0;

  const open = async (bucket = `B${buckets++}`) => {
    const lossy = new LossyConnection(nats.connection);
    const parts = {
      manager: await jetstreamManager(nats.connection),
      mend: <T>(read: () => Promise<T>) => read(),
      sleep: (ms: number) => sleep(ms),
    };
    const objects = await NatsObjects.open(lossy.connection, parts, bucket, 1);
    const messages = async () => (await parts.manager.streams.info(objects.stream)).state.messages;
    return { bucket, lossy, objects, messages };
  };

  test("an object whose description is stored has its chunks, though its answer was lost; control: the library's has none", async () => {
    const { bucket, lossy, objects, messages } = await open();
    const bytes = Uint8Array.from({ length: 1_300_000 }, (_, i) => i * 7);
    let sent = 0;
    lossy.fate = (subject) => (DESCRIPTION.test(subject) && sent++ === 0 ? "answer-lost" : undefined);
    await objects.put("snapshots/a", [bytes.subarray(0, 9), bytes.subarray(9)]);
    expect(sent).toBeGreaterThan(1);
    expect(Buffer.from((await objects.get("snapshots/a")) ?? []).equals(bytes)).toBe(true);
    expect(await messages(), "three chunks, nine bytes before them, and what describes them").toBe(5);

    await objects.put("snapshots/a", utf8("shorter"));
    expect(await messages(), "nothing of the first is left").toBe(2);
    const library = await new Objm(jetstream(nats.connection)).open(bucket, false);
    expect(Buffer.from((await library.getBlob("snapshots/a")) ?? []).toString()).toBe("shorter");

    lossy.fate = (subject) => (DESCRIPTION.test(subject) ? "answer-lost" : undefined);
    const control = await new Objm(jetstream(lossy.connection)).open(bucket, false);
    await expect(control.putBlob({ name: "snapshots/b" }, bytes, { timeout: 200 })).rejects.toThrow();
    lossy.fate = () => undefined;
    expect(await objects.list("snapshots")).toEqual(["a", "b"]);
    await expect(objects.get("snapshots/b")).rejects.toThrow(/has lost its part 0/);
    await objects.put("snapshots/b", bytes);
    expect(Buffer.from((await objects.get("snapshots/b")) ?? []).equals(bytes)).toBe(true);
  });

  test("of two that write one object, the one that comes late replaces nothing, and leaves nothing", async () => {
    const first = await open();
    const second = await open(first.bucket);
    let other: Promise<void> | undefined;
    first.lossy.fate = (subject) => {
      // In the middle: it knows of no other description, and has stored its chunks.
      if (DESCRIPTION.test(subject) && other === undefined) {
        other = second.objects.put("diffs/a", utf8("the other's"));
        return "lost";
      }
      return undefined;
    };
    await expect(first.objects.put("diffs/a", utf8("its own"))).rejects.toThrow();
    await other;
    expect(await first.objects.get("diffs/a")).toEqual(utf8("the other's"));
    expect(await first.messages()).toBe(2);
    const both = ["one", "two"].map((text) => first.objects.put("diffs/b", utf8(text)));
    await Promise.all(both);
    expect(await first.objects.get("diffs/b"), "of one writer the later one").toEqual(utf8("two"));
  });
});
