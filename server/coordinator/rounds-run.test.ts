import { describe, expect, test } from "vitest";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { created, Driven, replay, rules as turns } from "../../test/harness/driven-run.ts";
import type { Sending } from "./rounds.ts";
import type { Rules } from "./rules.ts";

const SENDING: Sending = { codec: DENSE4, bytes: 1_000 };

describe("a run on a clock", () => {
  const rules: Rules = {
    ...turns,
    quorum: 1,
    tokenBudget: 1e9,
    rounds: { ms: 1_000, most: { adamw: 2, muon: 2 }, context: 8, sendings: [SENDING] },
    rates: (_, steps) => Array<number>(steps).fill(0.1),
  };
  const pace = { speed: 160, uplink: 20_000 };

  test("everybody works: a hundred who ask at once have tickets that end together, and what was done is what counts", () => {
    const run = new Driven({ ...rules, rounds: { ...rules.rounds!, batch: 2 } });
    const tickets = Array.from({ length: 100 }, (_, i) => run.ask(i, pace));
    expect(new Set(tickets.map(({ trainFor }) => trainFor))).toEqual(new Set([900]));
    run.now = 950;
    for (const [i, ticket] of tickets.entries()) run.accept(ticket, run.now, 1 + (i % 3));
    run.settle();
    expect(run.state.version).toBe(1);
    expect(run.state.versions[0]!.deltas).toBe(100);
    expect(run.state.tokens).toBe(16 * (34 * 1 + 33 * 2 + 33 * 3));
  });

  test("before its first version a run goes by how many have come, and after it by the deltas of its versions", () => {
    const run = new Driven({ ...rules, rounds: { ...rules.rounds!, most: { adamw: 4, muon: 16 } } });
    const tickets = Array.from({ length: 12 }, (_, i) => run.ask(i, pace));
    const trained = tickets.map(({ inner, batch }) => `${inner} ${batch}`);
    expect([trained[0], trained[1], trained[8], trained[9], trained[11]]).toEqual([
      "muon 16",
      "muon 8",
      "muon 8",
      "adamw 2",
      "adamw 2",
    ]);
    run.now = 950;
    run.accept(tickets[0]!, 950, 5);
    run.now = 1_000;
    run.send({ type: "tick" });
    run.settle();
    expect(run.state.version).toBe(1);
    expect(run.ask(12, pace), "of one delta").toMatchObject({ inner: "muon", batch: 16 });
  });

  test("a crowd's second round is as long as AdamW wants it; the control: few go on with Muon and its longer rounds", () => {
    const { ms: _, ...paced } = rules.rounds!;
    const secondOf = (volunteers: number) => {
      const run = new Driven({ ...rules, rounds: paced });
      const tickets = Array.from({ length: volunteers }, (_, i) => run.ask(i, pace));
      run.now = 950;
      for (const ticket of tickets) run.accept(ticket, run.now, 5);
      run.settle();
      expect(run.state.version).toBe(1);
      return run.state.round;
    };
    expect([16, 4].map(secondOf)).toEqual([750, 1_500]);
  });

  test("a crowd counts its warm-up in steps from its eighth volunteer on, and with Muon inside all do; the control: a run from before", () => {
    const ratesIn = (rounds: Partial<Rules["rounds"]>) => {
      const run = new Driven({
        ...rules,
        rounds: { ...rules.rounds!, ...rounds },
        rates: (_tokens, steps, _batch, _inner, crowd) => Array<number>(steps).fill(crowd ? 2 : 1),
      });
      return Array.from({ length: 9 }, (_, i) => run.ask(i, pace).rates[0]);
    };
    expect(ratesIn({ inner: "adamw", warmUpInSteps: true })).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2]);
    expect(new Set(ratesIn({ inner: "muon", warmUpInSteps: true }))).toEqual(new Set([2]));
    expect(new Set(ratesIn({}))).toEqual(new Set([1]));
  });

  test("new keys, which weigh next to nothing, make no crowd of one volunteer; the control: as many that weigh the same are one", () => {
    const closedWith = (weightOf: (i: number) => number, grows?: true) => {
      const rounds = { ...rules.rounds!, inner: "muon", muonCrowds: true } as const;
      const weigh: Rules["weigh"] = (pool) => ({
        merged: [...pool].map(({ ticket }, i) => ({ ticket, weight: weightOf(i) })),
        discarded: [],
      });
      const run = new Driven({ ...rules, rounds: { ...rounds, ...(grows && { crowdGrows: grows }) }, weigh });
      const tickets = Array.from({ length: 12 }, (_, i) => run.ask(i, pace));
      run.now = 950;
      for (const ticket of tickets) run.accept(ticket, run.now, 5);
      run.settle();
      const closed = run.journal.find(({ type }) => type === "closed");
      return closed?.type === "closed" && closed.merged.length === 12 ? closed.crowd : "not closed";
    };
    expect(closedWith((i) => (i === 0 ? 1 : 0.01))).toBe(undefined);
    expect(closedWith((i) => 1 + i)).toBe(true);
    expect(closedWith(() => 1)).toBe(true);
    expect(
      closedWith((i) => (i === 0 ? 1 : 0.01), true),
      "nor a part of one",
    ).toBe(undefined);
    expect(
      closedWith((i) => (i < 5 ? 1 : 0), true),
      "five, where it grows with what they count for",
    ).toBe(0.4);
    expect(closedWith((i) => 1 + i, true)).toBe(true);
  });

  test("A30: who asks and never sends, and who comes late, holds nobody up; the late delta is of the next version", () => {
    const run = new Driven(rules);
    const [here, late] = [run.ask(1, pace), run.ask(2, pace)];
    for (let i = 3; i < 1_000; i++) run.ask(i, { speed: 1e12, uplink: 1 });
    run.now = 900;
    run.accept(here, 900, 5);
    run.now = 999;
    run.send({ type: "tick" });
    run.settle();
    expect(run.state.version).toBe(0);
    run.now = 1_000;
    run.send({ type: "tick" });
    run.settle();
    expect(run.state.version, "on time").toBe(1);
    run.now = 1_400;
    run.accept(late, 1_400, 5);
    run.settle();
    expect(run.state.version, "of what is late alone no version is made at once").toBe(1);
    run.now = 2_000;
    run.send({ type: "tick" });
    run.settle();
    expect(run.state.version).toBe(2);
    expect(run.state.versions[0]!.deltas).toBe(1);
  });

  test("A30: what only its volunteers say moves no round: links are what the server saw", () => {
    const free: Rules = {
      ...rules,
      rounds: { most: { adamw: 2, muon: 2 }, context: 8, sendings: [SENDING] },
    };
    const rounds = (said: number) => {
      const run = new Driven(free);
      for (let version = 0; version < 12; version++) {
        const ticket = run.ask(1, { speed: 160, uplink: said });
        run.now += (ticket.trainFor ?? 0) + 50;
        run.accept(ticket, run.now, 3);
        run.send({ type: "tick" });
        run.settle();
      }
      return run.state.round;
    };
    expect(rounds(1)).toBe(rounds(1e9));
  });

  test("a delta's own word of its training is held to the time that the server saw", () => {
    const run = new Driven(rules);
    const ticket = run.ask(1, pace);
    run.now = 950;
    run.send({
      ...run.deltaOf(ticket, 950, 5),
      report: { loss: 1, trainMs: 86_400_000, device: "", steps: 5 },
    });
    expect(run.state.timings).toMatchObject([{ linkMs: 50, sequenceMs: 95 }]);
  });

  test("a replay gives the same rounds", () => {
    const run = new Driven(rules);
    for (const at of [950, 2_300]) {
      const ticket = run.ask(1, pace);
      run.now = at;
      run.accept(ticket, at, 5);
      run.send({ type: "tick" });
      run.settle();
    }
    const again = replay(rules, created, run.journal);
    expect(again.round).toBe(run.state.round);
    expect(again.timings).toEqual(run.state.timings);
    expect(again.timings).toMatchObject([
      { linkMs: 50, sequenceMs: 0.1 },
      { linkMs: 450, sequenceMs: 0.1 },
    ]);
  });
});

test("the control: in a run of turns a ticket has no time, and the same volunteers wait for their turn", () => {
  const run = new Driven({ ...turns, crowd: 8 });
  const answers = Array.from({ length: 100 }, (_, i) =>
    run.send({
      type: "asked",
      volunteer: String(i).padStart(43, "0") as VolunteerKey,
      ticket: String(i).padStart(22, "0") as never,
      pace: {},
      since: 0,
    }),
  );
  expect(answers.filter(([effect]) => effect?.type === "lease")).toHaveLength(8);
});
