import { describe, expect, test } from "vitest";
import type { Pace } from "../../protocol/pace.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { Driven, ticketId, rules as turns, volunteer } from "../../test/harness/driven-run.ts";
import { recordPass } from "../trust/standing.ts";
import type { Rules } from "./rules.ts";

/** Milliseconds between two looks at the clock, as a server's timer has them. */
const TICK_MS = 10;
const LINK_MS = 100;
const STEP_MS = 50;
const HONEST = 5;
const SECONDS = 30;
const pace: Pace = { speed: (2 * turns.context * 1_000) / STEP_MS, uplink: (1_000 * 1_000) / LINK_MS };

const rules: Rules = {
  ...turns,
  quorum: 1,
  tokenBudget: 1e12,
  rates: (_, steps) => Array<number>(steps).fill(0.1),
  rounds: {
    ...{ most: { adamw: 2, muon: 2 }, context: turns.context, inner: "adamw" },
    sendings: [{ codec: { name: "f32" }, bytes: 1_000 }],
  },
};

/** A run of honest volunteers and others, on a clock that ticks. */
class Course {
  readonly run = new Driven(rules);
  /** Each version's round as it was when the version was opened, and what it took. */
  readonly rounds: { readonly ms: number; readonly took: number }[] = [];
  #tickets = 0;
  readonly #due: { at: number; what: () => void }[] = [];
  #opened = { version: 0, ms: this.run.state.round, at: 0 };

  constructor(isTrusted: boolean) {
    for (let i = 1; i <= HONEST; i++) {
      if (isTrusted) {
        const { state } = this.run;
        this.run.state = { ...state, trust: recordPass(state.trust, volunteer(i), ticketId(9_000 + i)) };
      }
      this.#honestly(i);
    }
  }

  after(ms: number, what: () => void): void {
    this.#due.push({ at: this.run.now + ms, what });
  }

  /** Asks until there is a ticket, and goes on with it. */
  ask(who: number, said: Pace, then: (terms: TicketTerms) => void): void {
    const [effect] = this.run.send({
      ...{ type: "asked", volunteer: volunteer(who), pace: said, since: this.run.now },
      ticket: ticketId(++this.#tickets),
    });
    if (effect?.type === "lease") then(effect.terms);
    else this.after(TICK_MS, () => this.ask(who, said, then));
  }

  /** Sends a ticket's delta of so many steps that took so long, as it says. */
  sends(terms: TicketTerms, steps: number, trainMs: number): void {
    if (this.run.state.version - terms.version > 4) return; // refused as stale
    this.run.accept(terms, this.run.now, { steps, trainMs });
    this.run.settle();
  }

  #honestly(who: number): void {
    this.ask(who, pace, (terms) => {
      const steps = Math.max(1, Math.min(terms.steps, Math.floor((terms.trainFor ?? 0) / STEP_MS)));
      this.after(steps * STEP_MS + LINK_MS, () => {
        this.sends(terms, steps, steps * STEP_MS);
        this.#honestly(who);
      });
    });
  }

  go(seconds = SECONDS): this {
    for (const end = this.run.now + 1_000 * seconds; this.run.now < end; ) {
      this.run.now += TICK_MS;
      const now = this.#due.filter(({ at }) => at <= this.run.now).sort((a, b) => a.at - b.at);
      for (const one of now) this.#due.splice(this.#due.indexOf(one), 1);
      for (const { what } of now) what();
      this.run.send({ type: "tick" });
      this.run.settle();
      const { version, publishedAt, round } = this.run.state;
      if (version === this.#opened.version) continue;
      this.rounds.push({ ms: this.#opened.ms, took: publishedAt - this.#opened.at });
      this.#opened = { version, ms: round, at: publishedAt };
    }
    return this;
  }
}

type Cheat = (course: Course, who: number) => void;

const CHEATS: Readonly<Record<string, Cheat>> = {
  "claims all steps of its ticket at once": function cheat(course, who) {
    course.ask(who, { speed: 1e12, uplink: 1e12 }, (terms) => {
      course.sends(terms, terms.steps, 0);
      course.after(TICK_MS, () => cheat(course, who));
    });
  },
  "says that it did one step in a day": function cheat(course, who) {
    course.ask(who, { speed: 1e-9, uplink: 1e-9 }, (terms) => {
      course.after(terms.trainFor ?? 0, () => {
        course.sends(terms, 1, 86_400_000);
        cheat(course, who);
      });
    });
  },
  "lies of its speed by micro-batch": function cheat(course, who) {
    course.ask(who, { ...pace, speeds: [1e-9, 1e-9, 1e12, 1e12, 1e12] }, (terms) => {
      course.after(LINK_MS, () => {
        course.sends(terms, terms.steps, 1);
        cheat(course, who);
      });
    });
  },
  "sends in the round's last millisecond": function cheat(course, who) {
    course.ask(who, pace, (terms) => {
      const { publishedAt, round } = course.run.state;
      course.after(Math.max(TICK_MS, publishedAt + round - 1 - course.run.now), () => {
        course.sends(terms, 1, 1);
        cheat(course, who);
      });
    });
  },
  "sends four rounds late, each time": function cheat(course, who) {
    course.ask(who, pace, (terms) => {
      const { version } = course.run.state;
      const wait = () => {
        if (course.run.state.version < version + 4) course.after(TICK_MS, wait);
        else {
          course.sends(terms, 1, 1);
          cheat(course, who);
        }
      };
      wait();
    });
  },
  "asks all the time and never sends": function cheat(course, who) {
    course.ask(who, pace, () => course.after(5 * TICK_MS, () => cheat(course, who)));
  },
};

/** The longest round of a course after its first few, and whether a version ever took longer than its round. */
function figures({ rounds, run }: Course) {
  const settled = rounds.slice(6);
  const honest = new Set(Array.from({ length: HONEST }, (_, i) => volunteer(1 + i)));
  const theirs = new Set(
    run.journal.flatMap((event) =>
      event.type === "accepted" && honest.has(event.volunteer) ? [event.ticket] : [],
    ),
  );
  const merged = run.journal.flatMap((event) => (event.type === "closed" ? event.merged : []));
  const honestMerged = merged.filter(({ ticket }) => theirs.has(ticket)).length;
  return {
    longest: Math.max(...settled.map(({ ms }) => ms)),
    overdue: Math.max(...settled.map(({ ms, took }) => took - ms)),
    honestMerged,
  };
}

const control = figures(new Course(true).go());

test("the control: honest volunteers' rounds close with the last delta that is to be expected, and all are merged", () => {
  expect(control.overdue).toBeLessThanOrEqual(TICK_MS);
  expect(control.longest).toBeLessThan(1_100);
  expect(control.honestMerged).toBeGreaterThan(HONEST * SECONDS * 0.9);
});

describe("A30: no honest round is longer, and no honest delta lost, for a volunteer that", () => {
  test.each(Object.entries(CHEATS))("%s", (_, cheat) => {
    const course = new Course(true);
    cheat(course, HONEST + 1);
    const found = figures(course.go());
    expect(found.longest).toBeLessThanOrEqual(control.longest);
    expect(found.overdue).toBeLessThanOrEqual(TICK_MS);
    expect(found.honestMerged).toBeGreaterThan(0.85 * control.honestMerged);
  });
});

describe("A22, A30: a thousand who come in one second", () => {
  const SYBILS = 1_000;
  const crowd = (isTrusted: boolean, cheat: Cheat, count = SYBILS) => {
    const course = new Course(isTrusted);
    course.go(10);
    for (let i = 0; i < count; i++) course.after(i, () => cheat(course, HONEST + 1 + i));
    return course.go(20);
  };
  const silent: Cheat = (course, who) => course.ask(who, pace, () => {});
  const late = CHEATS["sends four rounds late, each time"]!;

  test("and send nothing: rounds keep their length and their time", () => {
    const found = figures(crowd(true, silent));
    expect(found.longest).toBeLessThanOrEqual(control.longest);
    expect(found.overdue).toBeLessThanOrEqual(TICK_MS);
    expect(found.honestMerged).toBeGreaterThan(0.85 * control.honestMerged);
  });

  test("and all send late: rounds follow the links of those that audits found good; the control: of nobody's, all", () => {
    const few = 100; // of as many as matter: the newest 32 deltas are measured
    expect(figures(crowd(true, late, few)).longest).toBeLessThanOrEqual(control.longest);
    expect(figures(crowd(false, late, few)).longest).toBeGreaterThan(2 * control.longest);
  });
});
