import { describe, expect, test, vi } from "vitest";
import type { Carried } from "../../model/contract/trainer.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { type Cache, memoryCache } from "../cache/cache.ts";
import { KEYS } from "../cache/entries.ts";
import { LocalState } from "./local-state.ts";
import { LATE_PART } from "./local-state-reducer.ts";

const weights = new Float32Array(4);
const id = (letter: string) => letter.repeat(21).padEnd(22, "A") as TicketId;
const stale = new ProtocolError("stale", "too late");

/** A volunteer whose saved residual is one value of 7 (exact in four bits at any power of two) of version 10. */
async function carrying(decay: number, value = 7) {
  const cache = memoryCache();
  const values = Float32Array.of(0, 0, 0, value);
  await cache.write({ [KEYS.residual]: { version: 10, after: id("a"), values } });
  const localState = new LocalState({ cache, parameters: 4, codec: DENSE4, decay });
  return { cache, localState, trainer: new ToyTrainer() };
}

async function sentAt(version: number, decay: number): Promise<number> {
  const { localState, trainer } = await carrying(decay);
  await localState.begin(trainer, { version, fresh: false }, weights);
  const { frame } = await localState.pack(trainer, { version, id: id("b") });
  return decodeFrame(frame, 4)[3]!;
}

describe("a residual", () => {
  test("is decayed once for each version since, and at least once", async () => {
    const sent = await Promise.all([10, 11, 12, 14].map((version) => sentAt(version, 0.5)));
    expect(sent).toEqual([3.5, 3.5, 1.75, 0.4375]);
  });

  test("is forgotten after 50 versions, and when its version is no more", async () => {
    expect(await sentAt(60, 1)).toBe(7);
    expect(await sentAt(61, 1)).toBe(0);
    expect(await sentAt(9, 1)).toBe(0);
  });

  test("ages by versions, not by tickets that came to nothing", async () => {
    const { localState, trainer } = await carrying(0.5);
    for (const version of [11, 11, 11, 12])
      await localState.begin(trainer, { version, fresh: false }, weights);
    expect((await trainer.carried()).residual[3]).toBe(1.75);
    expect(trainer.starts.slice(1)).toEqual(["kept", "kept", "kept"]);
  });

  test("takes back what came too late, aged meanwhile, though the next ticket is under way", async () => {
    const { localState, trainer } = await carrying(0.5);
    await localState.begin(trainer, { version: 11, fresh: false }, weights);
    const packed = await localState.pack(trainer, { version: 11, id: id("b") });
    expect((await trainer.carried()).residual[3]).toBe(0);
    await localState.begin(trainer, { version: 13, fresh: false }, weights);
    await localState.settle(packed, stale);
    expect((await trainer.carried()).residual[3]).toBeCloseTo((LATE_PART * 3.5) / 4, 6);
    // the second time in a row: what was added back before goes
    const second = await localState.pack(trainer, { version: 13, id: id("c") });
    await localState.settle(second, stale);
    expect((await trainer.carried()).residual[3]).toBeCloseTo(0, 2);
    // a receipt in between begins anew
    await localState.settle({ ...second, made: second.made }, "taken");
    await localState.settle(second, stale);
    const [, , , sent] = decodeFrame(second.frame, 4);
    expect((await trainer.carried()).residual[3]).toBeCloseTo(LATE_PART * sent!, 2);
  });

  test("of work that came too late goes into no fresh ticket, which would else not be what the server gets", async () => {
    for (const fresh of [true, false]) {
      const { localState, trainer } = await carrying(1);
      const lost = new ToyTrainer(); // a device that went with its moments, as in a page that was frozen for long
      await localState.begin(lost, { version: 11, fresh: false }, weights);
      const packed = await localState.pack(lost, { version: 11, id: id("b") });
      await localState.begin(trainer, { version: 12, fresh }, weights);
      await localState.settle(packed, stale);
      const { residual } = await trainer.carried();
      expect(residual.some((value) => value !== 0)).toBe(!fresh); // an ordinary ticket, the control, takes it in
    }
  });

  test("survives a fresh ticket, decayed, and takes in what that one leaves out", async () => {
    const { localState, trainer } = await carrying(0.5);
    await localState.begin(trainer, { version: 11, fresh: false }, weights);
    await trainer.step(new Uint16Array(), 1, 0);
    const before = await trainer.carried();
    await localState.begin(trainer, { version: 12, fresh: true }, weights);
    expect((await trainer.carried()).residual).toEqual(new Float32Array(4));
    await trainer.adjustResidual(1, Float32Array.of(7, 0.4, 0, 0)); // as if trained
    const all = vi.spyOn(trainer, "carried");
    await localState.pack(trainer, { version: 12, id: id("b") });
    expect(all, "of three vectors one is needed").not.toHaveBeenCalled();
    const left = (await trainer.carried()).residual;
    expect(left[1]).toBeCloseTo(0.4, 6);
    await localState.begin(trainer, { version: 12, fresh: false }, weights);
    const after: Carried = await trainer.carried();
    expect(after.residual[3]).toBe(0.5 * 1.75);
    expect(after.residual[1]).toBeCloseTo(0.2, 6);
    expect(after.m).toEqual(before.m);
    expect(after.step).toBe(before.step);
  });

  test("moves with its owner when the device serves another", async () => {
    const { localState, trainer } = await carrying(1);
    await localState.begin(trainer, { version: 11, fresh: false }, weights);
    await localState.park();
    await trainer.load(weights);
    await localState.begin(trainer, { version: 11, fresh: false }, weights);
    expect((await trainer.carried()).residual[3]).toBe(7);
  });
});

test("what is saved comes back, until it is part of what is sent", async () => {
  const { cache, localState, trainer } = await carrying(1, 6.9);
  await localState.begin(trainer, { version: 11, fresh: false }, weights);
  await localState.save();
  expect(await cache.get(KEYS.moments), "nothing was made yet").toBeUndefined();
  await localState.pack(trainer, { version: 11, id: id("b") });
  await localState.save();
  const carried = await trainer.carried();
  expect(await cache.get(KEYS.residual)).toEqual({ version: 11, after: id("b"), values: carried.residual });
  expect(await cache.get(KEYS.moments)).toEqual({ m: carried.m, v: carried.v, step: carried.step });
  await localState.sending(Uint8Array.of(1));
  expect(await cache.get(KEYS.residual)).toBeUndefined();
  expect(await cache.get(KEYS.pending)).toEqual(Uint8Array.of(1));
});

describe("moments", () => {
  const ticketOf = (inner?: "adamw" | "muon", fresh = false) => ({
    version: 10,
    fresh,
    ...(inner && { inner }),
  });

  test("of one inner optimiser are nothing to the other: a ticket of the other's starts without, and keeps the residual", async () => {
    const { localState, trainer } = await carrying(1);
    await localState.begin(trainer, ticketOf("adamw"), weights);
    await localState.begin(trainer, ticketOf("adamw"), weights);
    await localState.begin(trainer, ticketOf("muon"), weights);
    await localState.begin(trainer, ticketOf("muon"), weights);
    const [, same, changed, after] = trainer.starts;
    expect([same, after], "the control").toEqual(["kept", "kept"]);
    expect(changed).toEqual({ residual: Float32Array.of(0, 0, 0, 7) });
  });

  test("come back from the disk for the optimiser whose they are, and no other", async () => {
    const { cache, localState, trainer } = await carrying(1);
    await localState.begin(trainer, ticketOf("muon"), weights);
    await localState.pack(trainer, { version: 10, id: id("b") });
    await localState.save();
    const startOf = async (inner?: "adamw" | "muon") => {
      const again = new LocalState({ cache, parameters: 4, codec: DENSE4, decay: 1 });
      const other = new ToyTrainer();
      await again.begin(other, ticketOf(inner), weights);
      const [start] = other.starts;
      return typeof start === "object" && "m" in start;
    };
    expect(await startOf("muon")).toBe(true);
    expect(await startOf("adamw")).toBe(false);
    expect(await startOf(), "of a run of turns").toBe(false);
  });
});

test("a large model's vectors are not copied for a cache that ends with the page; control: a smaller one's are", async () => {
  for (const [parameters, fleeting, saved] of [
    [2 ** 24, true, 1],
    [2 ** 24 + 1, true, 0],
    [2 ** 24 + 1, false, 1],
  ] as const) {
    const written: string[] = [];
    const cache: Cache = {
      fleeting,
      get: async () => undefined,
      write: async (changes) => {
        written.push(...Object.keys(changes));
      },
    };
    const localState = new LocalState({ cache, parameters, codec: DENSE4, decay: 1 });
    const trainer = new ToyTrainer();
    await localState.begin(trainer, { version: 1, fresh: false }, weights);
    await localState.pack(trainer, { version: 1, id: id("b") });
    let read = 0;
    const carried = trainer.carried.bind(trainer);
    trainer.carried = () => {
      read++;
      return carried();
    };
    await localState.save();
    expect(read).toBe(saved);
    expect(written.includes(KEYS.moments)).toBe(saved === 1);
  }
});
