import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Hash, TicketId } from "../../../protocol/ids.ts";
import type { Command, Report } from "../../worker/messages.ts";
import { createSession } from "./session.ts";
import { createTrainer } from "./worker-client.ts";

/** A page with a Worker that only listens; `workers` are those ever started, with what they were told. */
function page(kept: Record<string, string> = {}) {
  const workers: {
    commands: Command[];
    say(report: Report): void;
    die(why: string): void;
    ended: boolean;
  }[] = [];
  const late: (() => void)[] = [];
  const trainer = createTrainer(
    (say, die) => {
      const worker = { commands: [] as Command[], say, die, ended: false };
      workers.push(worker);
      return {
        post: (command) => worker.commands.push(command),
        terminate: () => {
          worker.ended = true;
        },
      };
    },
    (_, callback) => late.push(callback),
  );
  const hidden = signal(false);
  const onBattery = signal<boolean | undefined>(undefined);
  const savesData = signal<boolean | undefined>(undefined);
  const hot = signal<boolean | undefined>(undefined);
  const minute = signal(600);
  const now = signal(1_800_000_000_000);
  const session = createSession({
    trainer,
    server: "https://server.example",
    device: undefined,
    storage: {
      getItem: (key) => kept[key] ?? null,
      setItem: (key, value) => {
        kept[key] = value;
      },
      removeItem: (key) => {
        delete kept[key];
      },
    },
    rests: { hidden, onBattery, savesData, hot, minute, now },
  });
  const told = () => workers.at(-1)?.commands.map((command) => command.type) ?? [];
  return { session, trainer, workers, hidden, onBattery, savesData, hot, minute, now, kept, late, told };
}

const RUN = "9".repeat(64);

describe("consent", () => {
  it("comes before any Worker, whatever else the visitor does", () => {
    const { session, workers } = page();
    session.enter(RUN);
    session.choose({ share: 0.8 });
    session.start();
    expect(workers).toHaveLength(0);
    session.agree(RUN);
    expect(workers).toHaveLength(1);
    expect(workers[0]?.commands).toEqual([{ type: "start", server: "https://server.example", share: 0.8 }]);
  });

  it("outlives a reload for the same run, and for no other", () => {
    const first = page();
    first.session.agree(RUN);
    const again = page({ ...first.kept });
    expect(again.workers).toHaveLength(0);
    again.session.enter(RUN);
    expect(again.workers).toHaveLength(1);
    const other = page({ ...first.kept });
    other.session.enter("8".repeat(64));
    expect(other.workers).toHaveLength(0);
    expect(other.session.agreed.value).toBe(false);
  });
});

describe("pausing", () => {
  it("tells the Worker once, and again to go on", () => {
    const { session, told } = page();
    session.agree(RUN);
    session.pause();
    session.pause();
    session.start();
    expect(told()).toEqual(["start", "pause", "resume"]);
  });

  it("is remembered over a reload, without a Worker, until the visitor goes on", () => {
    const first = page();
    first.session.agree(RUN);
    first.session.pause();
    const again = page({ ...first.kept });
    again.session.enter(RUN);
    expect(again.workers).toHaveLength(0);
    expect(again.session.phase.value).toEqual({ phase: "paused", why: "visitor" });
    again.session.start();
    expect(again.workers).toHaveLength(1);
  });

  it("for a time ends by itself at that time, and not before; control: a pause without one does not end", () => {
    const { session, now, told, kept } = page();
    session.agree(RUN);
    session.pause("half-hour");
    now.value += 29 * 60_000;
    expect(told()).toEqual(["start", "pause"]);
    now.value += 60_000;
    expect(told()).toEqual(["start", "pause", "resume"]);
    expect(session.choices.value).toMatchObject({ wanted: "run", pausedUntil: undefined });
    session.pause();
    now.value += 1e9;
    expect(told()).toEqual(["start", "pause", "resume", "pause"]);
    session.pause("hour");
    expect(JSON.parse(kept["murmuration-choices"]!).pausedUntil).toBe(now.value + 3_600_000);
    session.start();
    expect(session.choices.value.pausedUntil).toBeUndefined();
  });

  it("for a time outlives a reload: it goes on before that time, and trains after it", () => {
    const first = page();
    first.session.agree(RUN);
    first.session.pause("hour");
    const before = page({ ...first.kept });
    before.session.enter(RUN);
    expect(before.workers).toHaveLength(0);
    before.now.value += 3_600_000;
    expect(before.workers).toHaveLength(1);
  });

  it("comes first on every visit where the visitor chose so; control: else training goes on", () => {
    const first = page();
    first.session.agree(RUN);
    const control = page({ ...first.kept });
    control.session.enter(RUN);
    expect(control.workers).toHaveLength(1);
    first.session.choose({ startPaused: true });
    const again = page({ ...first.kept });
    again.session.enter(RUN);
    expect(again.workers).toHaveLength(0);
    expect(again.session.phase.value).toEqual({ phase: "paused", why: "visitor" });
    again.session.start();
    expect(again.workers).toHaveLength(1);
  });

  it("follows a hidden tab only where the visitor chose so", () => {
    const { session, hidden, told } = page();
    session.agree(RUN);
    hidden.value = true;
    expect(told()).toEqual(["start"]);
    session.choose({ pauseWhenHidden: true });
    hidden.value = false;
    expect(told()).toEqual(["start", "pause", "resume"]);
  });

  it("follows the battery, and says the visitor's own word where both hold", () => {
    const { session, onBattery, workers } = page();
    session.agree(RUN);
    onBattery.value = true;
    session.pause();
    expect(workers[0]?.commands.slice(1)).toEqual([
      { type: "pause", why: "battery" },
      { type: "pause", why: "visitor" },
    ]);
    session.start();
    expect(workers[0]?.commands.at(-1)).toEqual({ type: "pause", why: "battery" });
  });
});

describe("what the machine and the clock ask for", () => {
  it.each(["savesData", "hot"] as const)("%s rests training, where the visitor left it so", (what) => {
    const { session, told, ...rests } = page();
    session.agree(RUN);
    rests[what].value = true;
    rests[what].value = false;
    expect(told()).toEqual(["start", "pause", "resume"]);
    session.choose({ pauseOnSaver: false, pauseOnHeat: false });
    rests[what].value = true;
    expect(told()).toEqual(["start", "pause", "resume"]);
  });

  it("keeps to the chosen hours", () => {
    const { session, minute, workers } = page();
    session.choose({ hours: { from: 1_320, to: 420 } });
    session.agree(RUN);
    expect(workers).toHaveLength(0);
    expect(session.phase.value).toEqual({ phase: "paused", why: "schedule" });
    minute.value = 1_330;
    expect(workers).toHaveLength(1);
    minute.value = 420;
    expect(workers[0]?.commands.at(-1)).toEqual({ type: "pause", why: "schedule" });
  });

  it("gives way to the visitor until it has passed, and then counts again", () => {
    const { session, onBattery, told } = page();
    session.agree(RUN);
    onBattery.value = true;
    expect(session.overridable.value).toBe(true);
    session.override();
    expect(session.overridable.value).toBe(false);
    expect(told()).toEqual(["start", "pause", "resume"]);
    onBattery.value = false;
    onBattery.value = true;
    expect(told()).toEqual(["start", "pause", "resume", "pause"]);
  });

  it("gives way one by one: another reason still rests it", () => {
    const { session, onBattery, hot, workers } = page();
    session.agree(RUN);
    onBattery.value = true;
    session.override();
    hot.value = true;
    expect(workers[0]?.commands.at(-1)).toEqual({ type: "pause", why: "heat" });
  });
});

describe("a withdrawn consent", () => {
  it("stops training, and leaves nothing of what was chosen", () => {
    const { session, kept, told, workers } = page();
    session.agree(RUN);
    session.revoke();
    expect(told()).toEqual(["start"]);
    expect(workers.map(({ ended }) => ended)).toEqual([true]); // and none was started in its place
    expect(kept).toEqual({});
    expect(session.agreed.value).toBe(false);
  });
});

describe("an end", () => {
  it("by the visitor stops the Worker and says nothing else to it", () => {
    const { session, workers, told } = page();
    session.agree(RUN);
    session.pause();
    session.stop();
    expect(told()).toEqual(["start", "pause", "stop"]);
    workers[0]?.say({ type: "phase", phase: { phase: "stopped" } });
    expect(workers[0]?.ended).toBe(true);
    expect(workers).toHaveLength(1);
  });

  it("of a Worker that does not answer comes by itself", () => {
    const { session, workers, late } = page();
    session.agree(RUN);
    session.stop();
    expect(workers[0]?.ended).toBe(false);
    for (const callback of late) callback();
    expect(workers[0]?.ended).toBe(true);
    expect(session.phase.value).toEqual({ phase: "stopped" });
  });

  it("that the visitor takes back is followed by a new start", () => {
    const { session, workers } = page();
    session.agree(RUN);
    session.stop();
    session.start();
    expect(workers).toHaveLength(1);
    workers[0]?.say({ type: "phase", phase: { phase: "stopped" } });
    expect(workers).toHaveLength(2);
  });

  it.each([{ phase: "finished" }, { phase: "unable", why: "no-device", detail: "" }] as const)(
    "as $phase starts nothing again by itself",
    (phase) => {
      const { session, workers, hidden } = page();
      session.agree(RUN);
      workers[0]?.say({ type: "phase", phase });
      session.enter(RUN);
      hidden.value = true;
      hidden.value = false;
      expect(workers).toHaveLength(1);
      expect(session.phase.value).toEqual(phase);
      session.start();
      expect(workers).toHaveLength(2);
    },
  );

  it("of a Worker that never gets to work comes with a reason, and one that started is left alone", () => {
    for (const starts of [false, true]) {
      const { session, workers, late } = page();
      session.agree(RUN);
      workers[0]?.say({ type: "phase", phase: { phase: starts ? "queued" : "starting" } });
      while (late.length > 0) late.shift()?.();
      expect(session.phase.value).toMatchObject(
        starts ? { phase: "queued" } : { phase: "unable", why: "stuck" },
      );
      expect(workers[0]?.ended).toBe(!starts);
      if (starts) continue;
      session.start();
      expect(workers).toHaveLength(2);
    }
  });

  it("by a crash is shown, and messages of an ended Worker are ignored", () => {
    const { session, trainer, workers } = page();
    session.agree(RUN);
    workers[0]?.die("out of memory");
    expect(session.phase.value).toEqual({ phase: "unable", why: "failed", detail: "out of memory" });
    workers[0]?.say({ type: "traffic", down: 5, up: 5 });
    expect(trainer.traffic.value).toBeUndefined();
  });
});

describe("what the Worker says", () => {
  it("becomes what the page shows", () => {
    const { session, trainer, workers } = page();
    session.agree(RUN);
    const say = (report: Report) => workers[0]?.say(report);
    say({ type: "phase", phase: { phase: "downloading", what: "weights", bytes: 5, total: 10 } });
    for (let step = 1; step <= 300; step++) {
      say({ type: "step", step, steps: 300, loss: 6 - step / 100, tokensPerSecond: 10 });
    }
    say({ type: "refused", code: "stale", message: "too old" });
    say({ type: "refused", code: "stale", message: "too old" });
    say({ type: "refused", code: "not-finite", message: "NaN" });
    expect(trainer.refused.value?.code).toBe("not-finite");
    const named = { ticket: "t".repeat(22) as TicketId, delta: "d".repeat(64) as Hash };
    say({ type: "sent", bytes: 100, version: 4, tokens: 512, ...named });
    say({ type: "sent", bytes: 120, version: 5, tokens: 512, ...named });
    expect(trainer.download.value).toMatchObject({ what: "weights", total: 10 });
    expect(trainer.losses.value).toHaveLength(240);
    expect(trainer.losses.value.at(-1)).toBe(3);
    expect(trainer.sent.value).toMatchObject({ times: 2, tokens: 1_024, last: { version: 5 } });
    expect(trainer.refused.value).toBeUndefined();
  });
});
