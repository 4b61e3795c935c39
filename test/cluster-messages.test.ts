import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { expect, test, vi } from "vitest";
import { utf8 } from "../protocol/bytes.ts";
import { Lease, SILENCE_MS } from "../server/store/lease.ts";
import { natsBoard } from "../server/store/nats-board.ts";
import { natsClaims } from "../server/store/nats-claims.ts";
import { natsLine } from "../server/store/nats-line.ts";
import { LossyConnection } from "./harness/lossy-connection.ts";
import { describeOnNats } from "./harness/nats-nodes.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

describeOnNats("what the servers of a run say to each other, one node", (nats) => {
  test("a sign that the cluster has lost keeps nobody from leading; who leads posts the next, and is not followed", async () => {
    const manager = await jetstreamManager(nats.connection);
    const board = await natsBoard({ connection: nats.connection, name: "SIGN", replicas: 1, writer: "next" });
    const who = (writer: string) => ({ writer, who: `${writer}:1`, over: false });
    let seq = (await board.post(who("dead"), 0)) ?? 0;
    const lose = () => manager.streams.deleteMessage("SIGN_LEAD", seq);
    await lose();
    const quick = {
      ...{ board, writer: "next", who: "next:1" },
      sleep: async (length: number, signal: AbortSignal) => {
        await sleep(length / 100);
        signal.throwIfAborted();
      },
    };
    let ms = 0;
    const now = () => (ms += SILENCE_MS / 10);
    const lease = await Lease.acquire({ ...quick, now });
    expect(await board.last()).toMatchObject({ writer: "next" });
    // Until it is lost: it stands for some milliseconds only.
    await vi.waitFor(async () => {
      seq = (await board.last())?.seq ?? 0;
      await lose();
    });
    await vi.waitFor(async () => expect(await board.last()).toMatchObject({ writer: "next" }));
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    const line = await natsLine({
      connection: nats.connection,
      name: "SIGN",
      writer: "x",
      sleep: (ms) => sleep(ms),
    });
    seq = (await board.last())?.seq ?? 0;
    await lose(); // while nobody leads: those who pass on wait, and ask nobody
    expect(await line.leader()).toBeUndefined();
  });

  test("an edge whose request or its answer may have been lost with a node asks its visitor at once to send it again", async () => {
    const [edges, leads, others] = [
      await nats.cluster.connect(),
      await nats.cluster.connect(),
      await nats.cluster.connect(),
    ];
    const wait = (ms: number) => sleep(ms);
    const board = await natsBoard({ connection: nats.connection, name: "LINE", replicas: 1, writer: "w" });
    await board.post({ writer: "w", who: "w:1", over: false }, 0);
    const line = (connection: NatsConnection, writer: string) =>
      natsLine({ connection, name: "LINE", writer, sleep: wait });
    const [edge, leader] = [await line(edges, "e"), await line(leads, "w")];
    await line(others, "o");
    let heard = 0;
    leader.answer(async () => {
      heard += 1;
      return new Promise(() => {});
    });
    const request = {
      method: "GET",
      target: "/",
      headers: [],
      address: "",
      encrypted: false,
      body: utf8(""),
    };
    const moved = async (one: NatsConnection) => {
      const again = (async () => {
        for await (const { type } of one.status()) if (type === "reconnect") return;
      })();
      await one.reconnect();
      await again;
      for (const each of [one, edges]) await each.flush();
    };
    const ask = async () => {
      const [asked, before] = [edge.ask(request), heard];
      const answer = { refused: undefined as unknown, over: Promise.resolve() };
      answer.over = asked.then(
        () => {},
        (error: unknown) => {
          answer.refused = error;
        },
      );
      await vi.waitFor(() => expect(heard).toBe(before + 1));
      return answer;
    };
    const first = await ask();
    await moved(others); // the control: it had neither the request nor the answer
    expect(first.refused).toBeUndefined();
    await moved(edges);
    await first.over;
    expect(first.refused).toMatchObject({ code: "not-durable" });
    const second = await ask();
    await moved(leads);
    await second.over;
    expect(second.refused).toMatchObject({ code: "not-durable" });

    // While the cluster elects who has the signs, whoever led before is asked. The control knows of nobody.
    const lossy = new LossyConnection(edges);
    const [knowing, fresh] = [await line(lossy.connection, "k"), await line(lossy.connection, "f")];
    expect(await knowing.leader()).toBe("w:1");
    lossy.fate = (subject) => (subject.includes("LINE_LEAD") ? "refused" : undefined);
    await expect(fresh.ask(request, false)).rejects.toMatchObject({ code: "not-durable" });
    const before = heard;
    const third = knowing.ask(request, false);
    third.catch(() => {});
    await vi.waitFor(() => expect(heard).toBe(before + 1));
    // Whether a server is connected the cluster says at once; one that does not answer may be held.
    expect([await board.isGone("w"), await board.isGone("nobody")]).toEqual([false, true]);
    nats.connection.subscribe("LINE.here.held", { callback() {} });
    expect(await board.isGone("held")).toBe(false);
    await Promise.all([edges.close(), leads.close(), others.close()]);
  });

  test("of the servers of a run one has a claim, until it drops it or its connection is gone", async () => {
    const [ann, bob] = [natsClaims(nats.connection, "C"), await nats.cluster.connect()];
    const others = natsClaims(bob, "C");
    expect([await others.take("it"), await others.take("it")]).toEqual([true, true]);
    await bob.flush();
    expect(await ann.take("it")).toBe(false);
    expect(await ann.take("else")).toBe(true);
    await nats.connection.flush();
    others.drop("it");
    await bob.flush();
    expect(await ann.take("it")).toBe(true);
    await nats.connection.flush();
    expect([await others.take("it"), await others.take("else")]).toEqual([false, false]);
    ann.drop("it");
    await nats.connection.flush();
    expect(await others.take("it")).toBe(true);
    await bob.flush();
    expect(await ann.take("it")).toBe(false);
    await bob.close();
    await vi.waitFor(async () => expect(await ann.take("it")).toBe(true));
  });
});
