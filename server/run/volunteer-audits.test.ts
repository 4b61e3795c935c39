import { expect, test } from "vitest";
import type { AuditJob } from "../../model/audit/measure.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { AuditTicket, Measured } from "../../protocol/shared-audit.ts";
import { codeOf } from "../../test/harness/code-of.ts";
import {
  countingRandom,
  deltaOf,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor } from "../evaluate/ports.ts";

const change = (after: number) => ({ before: 3, after, error: 0 });
const TRUE: Measured = { assigned: change(2), gate: change(2) };
const BAD: Measured = { assigned: change(4), gate: change(4) };

interface World {
  readonly tiny: TinyRun;
  readonly events: DurableEvent[];
  readonly auditors: readonly TestVolunteer[];
  readonly sender: TestVolunteer;
  /** What the server's thread was asked to measure of what volunteers did too. */
  readonly settled: AuditJob[];
  /** Lets the server's thread go on. */
  readonly release: () => void;
  /** A number in [0, 1) that all draws come to. */
  luck: number;
}

const of = <T extends DurableEvent["type"]>(events: readonly DurableEvent[], type: T) =>
  events.filter((event): event is Extract<DurableEvent, { type: T }> => event.type === type);

const networkOf = (volunteer: TestVolunteer) => `of ${volunteer.identity.key.slice(0, 6)}`;

/** Sends a delta, as from a network of its own. */
async function contribute(
  { tiny }: Pick<World, "tiny">,
  volunteer: TestVolunteer,
  seed = 1,
): Promise<TicketId> {
  const upload = uploadOf(await volunteer.ticket(tiny.run), deltaOf(seed));
  await tiny.run.accept(volunteer.identity.key, upload.ticket.id, upload, networkOf(volunteer));
  return upload.ticket.id;
}

/**
 * Four volunteers that the server found good and that make audits, and a fifth that sends; the server's thread is busy with
 * the sender's first delta. `truth` is what there is to measure of the next.
 */
async function busy(truth: Measured, trust: Record<string, unknown> = {}): Promise<World> {
  const events: DurableEvent[] = [];
  const settled: AuditJob[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let stuck = false;
  const auditor: Auditor = {
    audit: async (job) => {
      if (job.other !== undefined) {
        settled.push(job);
        return truth;
      }
      if (stuck) await released;
      return TRUE;
    },
    direct: async () => new Float32Array(10),
    effects: async ({ frames }) => frames.map(() => [0]),
  };
  const world = { luck: 0.5 };
  const counting = countingRandom();
  const random = (bytes: number) =>
    bytes === 4 ? new Uint8Array(Uint32Array.of(Math.floor(world.luck * 2 ** 32)).buffer) : counting(bytes);
  const settings = tinySettings({
    rounds: "turns",
    quorum: 60,
    crowd: 60,
    trust: { auditShare: 1, auditors: "volunteers", ...trust },
  });
  const tiny = await tinyRun({ settings, auditor, random, observe: (event) => events.push(event) });
  const volunteers = await Promise.all(Array.from({ length: 5 }, () => TestVolunteer.create()));
  const [sender, ...auditors] = volunteers as [TestVolunteer, ...TestVolunteer[]];
  for (const [n, auditing] of auditors.entries()) await contribute({ tiny }, auditing, n);
  await until(() => of(events, "audited").length === 4);
  for (const one of auditors) await tiny.run.audit(one.identity.key, networkOf(one));
  stuck = true;
  for (let n = 10; n < 13; n++) await contribute({ tiny }, sender, n); // one is looked at, and two wait
  return Object.assign(world, { tiny, events, auditors, sender, settled, release });
}

/** The audits that volunteers get when they ask for work. */
async function claimed({ tiny, auditors }: World): Promise<Map<TestVolunteer, AuditTicket>> {
  const found = new Map<TestVolunteer, AuditTicket>();
  for (const one of auditors) {
    const audit = await tiny.run.audit(one.identity.key, networkOf(one));
    if (audit !== undefined) found.set(one, audit);
  }
  return found;
}

const verdictOn = ({ events }: World, ticket: TicketId) =>
  of(events, "audited").find((event) => event.ticket === ticket)?.verdict;

test("AU8: three volunteers that agree audit a delta while the server's thread is busy, and have credit for it", async () => {
  const world = await busy(TRUE);
  const { tiny, events, sender, settled } = world;
  const before = (key: VolunteerKey) => tiny.run.credit(key).tokens;
  expect((await claimed(world)).size, "the control: nothing is shared while the thread keeps up").toBe(0);
  const ticket = await contribute(world, sender, 20);
  const audits = await claimed(world);
  expect(audits.size).toBe(3);
  expect([...audits.keys()].map(({ identity }) => before(identity.key))).toEqual([0, 0, 0]);
  for (const [{ identity }, { id: audit }] of audits)
    tiny.run.answerAudit(identity.key, { audit, measured: TRUE });
  await until(() => verdictOn(world, ticket) === "good");
  expect(settled).toEqual([]);
  const [event] = of(events, "settled");
  expect(event).toMatchObject({ ticket, by: "agreement", wrong: [] });
  // Four passes of a micro-batch of 2 × 8 tokens, a third of a step's cost each.
  expect(event!.tokens).toBe(21);
  for (const { identity } of audits.keys())
    expect(tiny.run.credit(identity.key)).toMatchObject({ tokens: 21, recent: 21 });
  const again = await restart(tiny);
  for (const { identity } of audits.keys()) expect(again.run.credit(identity.key).tokens).toBe(21);
});

test("A31: an auditor that lies is found by the server and shut out, and the delta gets its verdict; also after a restart", async () => {
  const world = await busy(BAD);
  const { tiny, sender, settled, release, events } = world;
  const ticket = await contribute(world, sender, 20);
  const audits = [...(await claimed(world))];
  const [[liar, audit], ...honest] = audits as [(typeof audits)[0], ...typeof audits];
  tiny.run.answerAudit(liar.identity.key, { audit: audit.id, measured: TRUE });
  for (const [{ identity }, { id }] of honest)
    tiny.run.answerAudit(identity.key, { audit: id, measured: BAD });
  release();
  await until(() => of(events, "settled").length === 1);
  expect(of(events, "settled")[0]).toMatchObject({ ticket, by: "server", wrong: [liar.identity.key] });
  expect(of(events, "settled")[0]!.right).toHaveLength(2);
  expect(settled[0]).toMatchObject({ seed: audit.draw, batches: 1 });
  expect(await codeOf(() => liar.ticket(tiny.run))).toBe("quarantined");
  expect(tiny.run.credit(liar.identity.key).tokens).toBe(0);
  for (const [{ identity }] of honest) expect(tiny.run.credit(identity.key).tokens).toBe(21);
  const again = await restart(tiny);
  expect(await codeOf(() => liar.ticket(again.run))).toBe("quarantined");
});

test("A31: three that tell the same lie pass a bad delta once; where the server checks too, all three are shut out", async () => {
  const believed = await busy(BAD);
  const first = await contribute(believed, believed.sender, 20);
  for (const [{ identity }, { id: audit }] of await claimed(believed)) {
    believed.tiny.run.answerAudit(identity.key, { audit, measured: TRUE });
  }
  await until(() => verdictOn(believed, first) !== undefined);
  expect(verdictOn(believed, first), "the control").toBe("good");
  const world = await busy(BAD);
  await contribute(world, world.sender, 20);
  const audits = await claimed(world);
  world.luck = 0.01;
  for (const [{ identity }, { id: audit }] of audits) {
    world.tiny.run.answerAudit(identity.key, { audit, measured: TRUE });
  }
  world.release();
  await until(() => of(world.events, "settled").length > 0);
  const [event] = of(world.events, "settled");
  expect(event).toMatchObject({ by: "server", right: [] });
  expect(new Set(event!.wrong)).toEqual(new Set([...audits.keys()].map(({ identity }) => identity.key)));
});

test("A31: what an auditor gets names neither sender nor ticket, and nobody audits its own", async () => {
  const world = await busy(TRUE);
  const { tiny, sender } = world;
  const ticket = await contribute(world, sender, 20);
  expect(await tiny.run.audit(sender.identity.key, networkOf(sender))).toBeUndefined();
  const audits = await claimed(world);
  for (const audit of audits.values()) {
    const text = JSON.stringify(audit);
    expect(text).not.toContain(sender.identity.key);
    expect(text).not.toContain(ticket);
    expect(tiny.run.auditedDelta(audit.frame).length).toBe(audit.bytes);
  }
  expect(await codeOf(() => tiny.run.auditedDelta("0".repeat(64) as never))).toBe("not-found");
});

test("AU8: an answer twice, for another's audit, or after a restart is refused, each with its code", async () => {
  const world = await busy(TRUE);
  const { tiny, auditors, sender } = world;
  await contribute(world, sender, 20);
  const audits = [...(await claimed(world))];
  const [[first, { id: audit }], [second]] = audits as [(typeof audits)[0], (typeof audits)[0]];
  const answer = (key: VolunteerKey) => codeOf(() => tiny.run.answerAudit(key, { audit, measured: TRUE }));
  const other = auditors.find((one) => !audits.some(([auditor]) => auditor === one))!;
  expect(await answer(other.identity.key)).toBe("not-your-audit");
  expect(await answer(first.identity.key)).toBe("accepted");
  expect(await answer(first.identity.key)).toBe("audit-answered");
  const again = await restart(tiny);
  const late = () => again.run.answerAudit(second.identity.key, { audit, measured: TRUE });
  expect(await codeOf(late)).toBe("audit-over");
});

test("U4: credit for audits alone is forgotten too, and gives no name", async () => {
  const world = await busy(TRUE);
  const { tiny, sender, events } = world;
  await contribute(world, sender, 20);
  const audits = await claimed(world);
  for (const [{ identity }, { id: audit }] of audits) {
    tiny.run.answerAudit(identity.key, { audit, measured: TRUE });
  }
  await until(() => of(events, "settled").length === 1);
  const [[{ identity }]] = [...audits] as [[TestVolunteer, AuditTicket]];
  expect(await codeOf(() => tiny.run.rename(identity.key, "Starling"))).toBe("bad-request");
  expect(tiny.run.credit(identity.key).tokens).toBe(21);
  await tiny.run.forget(identity.key);
  expect(tiny.run.credit(identity.key).tokens).toBe(0);
});

test("AU5: a run made before volunteers audited goes on without them", async () => {
  const world = await busy(TRUE, { auditors: "server" });
  await contribute(world, world.sender, 20);
  expect((await claimed(world)).size).toBe(0);
  expect(world.tiny.run.manifest().audits).toBeUndefined();
  const today = await busy(TRUE);
  expect(today.tiny.run.manifest().audits, "the control").toBe(true);
});
