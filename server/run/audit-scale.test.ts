import { expect, onTestFinished, test } from "vitest";
import { auditScale } from "../../test/harness/audit-scale.ts";
import { VirtualTime } from "../../test/harness/virtual-time.ts";

const run = (volunteers: number, tickets: number, alone = false) =>
  auditScale(new VirtualTime(onTestFinished), volunteers, tickets, alone);

test("audits take at most 8% of all compute and one thread at 8, 64 and 500 volunteers, and look at as many deltas", async () => {
  const [few, some, many] = [await run(8, 200), await run(64, 40), await run(500, 24)];
  const alone = await run(500, 8, true);
  for (const { share, thread } of [few, some, many]) {
    expect(share).toBeLessThanOrEqual(0.08);
    expect(thread).toBeLessThanOrEqual(1);
  }
  expect(few.shared, "the server suffices for a few").toBeLessThan(0.05);
  expect(many.shared).toBeGreaterThan(0.5);
  for (const { audited } of [some, many]) expect(audited / few.audited).toBeGreaterThan(0.8);
  expect(alone.audited / few.audited, "the control: one thread alone").toBeLessThan(0.5);
}, 60_000);
