import { describe, expect, it } from "vitest";
import { page, RUN } from "../../../test/harness/session-page.ts";

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
