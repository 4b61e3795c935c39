import { describe, expect, it } from "vitest";
import type { Hash, TicketId } from "../../../protocol/ids.ts";
import { page, RUN } from "../../../test/harness/session-page.ts";
import type { Report } from "../../worker/messages.ts";

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

  it("of a page that its browser keeps is its Worker's, and another goes on when the page comes back", () => {
    const { session, workers, left, told } = page();
    session.agree(RUN);
    left.value = true;
    expect(workers.map(({ ended }) => ended)).toEqual([true]); // and none was started in its place
    left.value = false;
    expect(workers.map(({ ended }) => ended)).toEqual([true, false]);
    session.pause();
    left.value = true;
    left.value = false;
    expect(workers).toHaveLength(2); // nobody wants it
    expect(told()).toEqual(["start", "pause"]);
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
