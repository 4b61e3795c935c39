import { expect, test } from "vitest";
import { readCorpus } from "../bench/learning/corpus.ts";
import { runSoak, type Soak } from "../bench/soak/soak.ts";
import type { Change } from "../protocol/shared-audit.ts";
import type { Auditor } from "../server/evaluate/ports.ts";
import type { Evidence } from "../server/trust/audit.ts";

/**
 * `bench -- soak`, short: honest volunteers that are not ours train a tiny run for real, on the product's run with its
 * audits and roll-backs. The long one is in docs/SECURITY.md.
 */
const { heldOut, ...rest } = await readCorpus("moby-dick");
const gate = heldOut.subarray(0, heldOut.length >> 3);
const corpus = { ...rest, heldOut, gate };

const MODEL = { layers: 1, heads: 2, width: 16, context: 32 };
const DEFAULTS = { model: MODEL };
/** It learns while its rate is low, and rises until nothing it has learned stays. */
const TOO_FAST = { model: MODEL, learningRate: 1, warmupTokens: 400_000, outer: { fullAt: 1 } };

const soakOf = (run: Soak["run"], volunteers: number): Soak => ({ seed: 1, volunteers, deltas: 60, run });

/** What audits find on a model that gets worse by whatever is trained on it, the server's own training too. */
function hopeless(auditor: Auditor): Auditor {
  const worse = ({ assigned, gate: unseen }: Pick<Evidence, "assigned" | "gate">) => ({
    assigned: { ...assigned, after: assigned.after + 1 },
    gate: { ...unseen, after: unseen.after + 1 },
  });
  return {
    ...auditor,
    async audit(job) {
      const { own, distance, ...found } = await auditor.audit(job);
      return {
        ...worse(found),
        ...(own && { own: worse(own) }),
        ...(distance !== undefined && { distance }),
      };
    },
  };
}

/** Audits as they were: sure of what they measure, and without the server's own training of the ticket. */
function asBefore(auditor: Auditor): Auditor {
  const sure = ({ before, after }: Change): Change => ({ before, after });
  return {
    ...auditor,
    async audit(job) {
      const { assigned, gate: unseen } = await auditor.audit({ ...job, own: false });
      return { assigned: sure(assigned), gate: sure(unseen) };
    },
  };
}

test.each([1, 3])(
  "nobody of %i honest volunteers of a tiny run is found bad or refused",
  async (volunteers) => {
    const { struck, quarantined, refused, deltas } = await runSoak(soakOf(DEFAULTS, volunteers), corpus);
    expect({ struck, quarantined, refused }).toEqual({ struck: 0, quarantined: 0, refused: 0 });
    expect(deltas).toBeGreaterThanOrEqual(60);
  },
  240_000,
);

test("nobody is blamed for a run that diverges and goes back", async () => {
  const { struck, quarantined, rollbacks } = await runSoak(soakOf(TOO_FAST, 1), corpus);
  expect({ struck, quarantined }).toEqual({ struck: 0, quarantined: 0 });
  expect(rollbacks).toBeGreaterThan(0);
}, 240_000);

test("nobody is blamed for a model on which nothing helps; audits as they were, the control, shut everybody out", async () => {
  const soak = soakOf(DEFAULTS, 1);
  const { struck } = await runSoak({ ...soak, through: hopeless }, corpus);
  expect(struck).toBe(0);
  const control = await runSoak({ ...soak, through: (auditor) => asBefore(hopeless(auditor)) }, corpus);
  expect(control.struck).toBeGreaterThan(0);
  expect(control.quarantined).toBe(1);
}, 240_000);
