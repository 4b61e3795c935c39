import { describe, expect, it, test } from "vitest";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { rules as driven } from "../../test/harness/driven-run.ts";
import { recordPass } from "../trust/standing.ts";
import { expire, lease, settle } from "./leases.ts";
import { MAX_LEASES, MAX_SEEN, type Rules } from "./rules.ts";
import { begin, restarted, type State } from "./state.ts";

const hash = "0".repeat(64) as Hash;
const key = (name: number | string) => String(name).padStart(43, "0") as VolunteerKey;
const rules: Rules = {
  ...driven,
  steps: () => 2,
  crowd: 100_000,
  rates: () => [0.1, 0.1],
};

test("A22: ever new keys hold half of the leases at most, so that who is trusted still gets work; memory is bounded", () => {
  const created = begin({ type: "created", at: 0, hash, genesis: {} });
  let state: State = { ...created, trust: recordPass(created.trust, key("trusted"), "t" as TicketId) };
  let tickets = 0;
  const ask = (volunteer: VolunteerKey, now: number) => {
    const answer = lease(
      rules,
      state,
      { volunteer, ticket: `${tickets++}` as TicketId, pace: {}, since: 0 },
      now,
    );
    ({ state } = answer);
    return answer.effect.type;
  };
  // As if so many strangers had asked, one after another; asking takes a look at all leases.
  const leases = new Map(
    Array.from({ length: MAX_LEASES / 2 - 1 }, (_, i) => [
      `of ${i}` as TicketId,
      { volunteer: key(i), position: i, fresh: false, expires: 60_000 },
    ]),
  );
  const seen = new Map(Array.from({ length: MAX_SEEN }, (_, i) => [key(i), 0]));
  state = { ...state, soft: { leases, queue: [], next: leases.size, seen, paid: new Map() } };
  expect(ask(key("a stranger"), 1)).toBe("lease");
  expect(ask(key("another"), 1)).toBe("refuse");
  expect(ask(key("trusted"), 1)).toBe("lease");
  expect(state.soft.leases.size).toBe(MAX_LEASES / 2 + 1);
  expect(state.soft.seen.size).toBe(MAX_SEEN);
  // The control: when the leases end there is work for strangers again.
  expect(ask(key("another"), 60_001)).toBe("lease");
});

describe("A15: fresh tickets, which the server recomputes (T5)", () => {
  const created = begin({ type: "created", at: 0, hash, genesis: {} });
  const who = key("trusted");
  let tickets = 0;

  /** A trusted volunteer that has answered its first fresh ticket, and from now on does as a test says. */
  function start() {
    let now = 0;
    let state: State = { ...created, trust: recordPass(created.trust, who, "t" as TicketId) };
    const ask = (volunteer = who) => {
      const ticket = `${tickets++}` as TicketId;
      const asked = { volunteer, ticket, pace: {}, since: Number.NEGATIVE_INFINITY };
      const { effect, state: next } = lease(rules, state, asked, now);
      state = next;
      if (effect.type !== "lease") throw new Error(effect.type);
      return effect.terms;
    };
    const answer = ({ id, seed }: ReturnType<typeof ask>) => {
      const position = rules.ranges.positionOf(seed);
      state = { ...state, soft: settle(state.soft, { ticket: id, volunteer: who, position }, now) };
    };
    const wait = (ms: number) => {
      now += ms;
      state = { ...state, soft: expire(state.soft, now) };
    };
    const restart = () => {
      state = restarted(state);
    };
    /** Answers ticket after ticket until one is fresh. */
    const untilFresh = () => {
      for (let work = ask(); ; work = ask()) {
        if (work.fresh) return work;
        answer(work);
      }
    };
    answer(untilFresh());
    return { ask, answer, wait, restart, untilFresh };
  }

  it("come now and then, and are over when they are answered (the control)", () => {
    const { ask, answer, untilFresh } = start();
    for (let times = 0; times < 5; times++) {
      answer(untilFresh());
      const after = ask();
      expect(after.fresh).toBe(false);
      answer(after);
    }
  });

  it.each<[string, (volunteer: ReturnType<typeof start>) => void]>([
    ["asks again", ({ ask }) => void ask()],
    ["asks again and again", ({ ask }) => void Array.from({ length: 60 }, () => ask())],
    ["lets the lease end", ({ wait }) => wait(60_001)],
    ["stays away for an hour", ({ wait }) => wait(3_600_000)],
    ["waits for a restart", ({ restart }) => restart()],
  ])("come again to who %s instead of answering, until it does", (_, dodge) => {
    const volunteer = start();
    volunteer.untilFresh();
    dodge(volunteer);
    const owed = volunteer.ask();
    expect(owed.fresh).toBe(true);
    volunteer.answer(owed);
    expect(volunteer.ask().fresh).toBe(false);
  });

  it("come again to who answers the ticket it held beside it", () => {
    const volunteer = start();
    let beside = volunteer.ask();
    for (let next = volunteer.ask(); !next.fresh; next = volunteer.ask()) {
      volunteer.answer(beside);
      beside = next;
    }
    volunteer.answer(beside);
    expect(volunteer.ask().fresh).toBe(true);
  });

  it("come to no newcomer", () => {
    const { ask } = start();
    for (let n = 0; n < 200; n++) expect(ask(key(n)).fresh).toBe(false);
  });
});
