import { layoutOf } from "../../model/contract/layout.ts";
import { Random } from "../../model/lib/random.ts";
import { checkFrame, encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash, RunId, Signature, TicketId } from "../../protocol/ids.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import type { Closed, Created, DurableEvent, Effect } from "../../server/coordinator/events.ts";
import { outcomesOf } from "../../server/coordinator/outcomes.ts";
import { reduce } from "../../server/coordinator/reduce.ts";
import { begin, type State } from "../../server/coordinator/state.ts";
import { direct } from "../../server/evaluate/direct.ts";
import { initialVectors, type Vectors } from "../../server/merge/vectors.ts";
import { askedOf } from "../../server/run/acknowledged.ts";
import { judge } from "../../server/run/admission.ts";
import { DIRECTION_EVERY, DIRECTION_STEPS } from "../../server/run/direction.ts";
import { rulesOf } from "../../server/run/genesis.ts";
import { languageTask } from "../../server/run/language-task.ts";
import { deltaCodec, mergeRule } from "../../server/run/merge-rule.ts";
import { firstBudget } from "../../server/trust/first-budget.ts";
import { Gauge } from "../../server/trust/gauge.ts";
import { partsOf } from "../../server/trust/parts.ts";
import { standingOf, trustsNobody } from "../../server/trust/standing.ts";
import { merge } from "../../test/harness/merge-once.ts";
import { heldOutMeter } from "../learning/heldout.ts";
import { ATTACKS, type Attack } from "./attacks.ts";
import { BenchAudits } from "./bench-audits.ts";
import { CentredMean } from "./centred-clipping.ts";
import type { AttackCorpus } from "./corpus.ts";
import { honestOf, type Job, type Outcome } from "./job.ts";
import { type Kept, spread, tallyOf } from "./kept.ts";
import { labFor } from "./lab.ts";
import { Member } from "./member.ts";
import { ROUND_MS, settingsOf, TRAIN_MS } from "./settings.ts";
import { openTrainers } from "./trainers.ts";
import { backdoorPercent } from "./trigger.ts";

const VOCABULARY = 256;
const RUN = "0".repeat(64) as RunId;
const NO_HASH = "0".repeat(64) as Hash;
const SIGNATURE = "s".repeat(86) as Signature;
/** Versions between two evaluations. */
const EVALUATE_EVERY = 4;

/**
 * One run: real training on the WASM engine, the product's reducer, trust rules, audits and merge, on a clock
 * that only counts. The worst case is taken where there is a choice: attackers see this version's honest
 * deltas before they send theirs, and audits come only after the merge of what they judge.
 */
export async function runAttack(job: Job, corpus: AttackCorpus): Promise<Outcome> {
  const begun = performance.now();
  const settings = settingsOf(job);
  const { model, batch, optimizer, residualDecay } = settings;
  const { context } = model;
  const task = languageTask(settings, VOCABULARY);
  const rules = rulesOf(RUN, settings, { train: corpus.shards }, task.parameters);
  const codec = deltaCodec(settings, task.parameters);
  const merging = await mergeRule(settings, task);
  const shape = { ...model, vocabulary: VOCABULARY };
  const { trainer, auditor, examiner, dispose } = await openTrainers(settings, shape);
  const meter = heldOutMeter(trainer, corpus.heldOut, context, batch);
  const random = new Random(job.seed * 7_919 + 3);
  const attackers = job.volunteers - honestOf(job);
  const attack: Attack | undefined = job.attack === undefined ? undefined : ATTACKS[job.attack];
  const gains = layoutOf(shape).tensors.find(({ name }) => name === "ln_f.weight")!;
  const everything = corpus.textOf(0, 1, "iid");
  const members = Array.from(
    { length: job.volunteers },
    // Attackers are spread over the texts.
    (_, i) =>
      new Member(
        i,
        corpus.textOf(i, job.volunteers, job.sharding),
        attack !== undefined && (i * attackers) % job.volunteers < attackers ? attack : undefined,
      ),
  );
  const ours = job.rule === "default";
  const gauge = new Gauge(task.parameters, codec, task.tensors, () => random.unit());
  const agreements: { honest: number[]; attackers: number[] } = { honest: [], attackers: [] };
  const first = { tokens: ticketTokens({ steps: 5, batch }, context), batchTokens: batch * context };
  const budget = firstBudget(settings.trust.auditShare, { ...first, freshPart: rules.freshPart });
  const kept = new Map<TicketId, Kept>();
  const versions: Vectors[] = [initialVectors(task.initial(settings.seed))];
  const centred = new CentredMean(task.parameters);
  let [now, trained, tickets, rollbacks, crowds] = [0, 0, 0, 0, 0];
  const created: Created = { type: "created", at: 0, hash: NO_HASH, genesis: {} };
  let state: State = begin(created);

  const apply = async (event: Exclude<DurableEvent, Created>): Promise<void> => {
    for (const { ticket, version, tokens } of outcomesOf(state, event)) {
      const one = kept.get(ticket)!;
      if (one.end !== undefined) continue;
      one.end = version;
      if (tokens !== undefined) one.tokens = tokens;
    }
    const step = reduce(rules, state, event, now);
    state = step.state;
    await perform(step.effects);
  };
  const perform = async (effects: readonly Effect[]): Promise<void> => {
    for (const effect of effects) {
      if (effect.type === "record") await apply(effect.event);
      else if (effect.type === "merge") await publish(effect.closed);
      else if (effect.type === "roll-back") await rollBack(effect.to);
    }
  };
  const publish = async (closed: Closed): Promise<void> => {
    const frames = closed.merged.map(({ ticket, weight }) => ({ frame: kept.get(ticket)!.frame, weight }));
    const before = versions[closed.version]!;
    const all = job.rule === "centred-clipping" ? centred.reweighed(frames) : frames;
    const made = merge(before, all, merging(closed));
    const version = closed.version + 1;
    versions[version] = made.vectors;
    if (closed.crowd) crowds += 1;
    await apply({
      type: "published",
      at: now,
      version,
      hash: NO_HASH,
      diff: NO_HASH,
      diffBytes: made.diff.length,
      ...(rules.rounds && { norm: made.norm }),
      record: NO_HASH,
      signature: SIGNATURE,
    });
    const merged = closed.merged.map(({ ticket }) => kept.get(ticket)!);
    if (ours) audits.weigh(version, merged, before, made.vectors);
  };
  const rollBack = async (to: number): Promise<void> => {
    rollbacks += 1;
    const version = state.version + 1;
    versions[version] = versions[to]!;
    const seal = { record: NO_HASH, signature: SIGNATURE, hash: NO_HASH };
    const since = [...kept.values()].filter(({ end }) => typeof end === "number" && end > to);
    await apply({ type: "rolled-back", at: now, version, to, reason: "held-out loss", ...seal });
    if (ours) await audits.blame(since, to);
  };
  const upload = async (member: Member, ticket: Ticket, values: Float32Array): Promise<void> => {
    const frame = encodeFrame(codec, values);
    member.sent += 1;
    const did = ticket.trainFor === undefined ? {} : { steps: ticket.steps };
    const report = { loss: 0, trainMs: 0, device: "bench", ...did };
    let norm: number;
    try {
      // The control checks nothing but that numbers are numbers.
      norm = ours
        ? judge(
            { ticket, frame, report },
            {
              version: state.version,
              now,
              finished: state.phase === "finished",
              floor: state.floor,
              waiting: state.pool.length,
              maxWaiting: 1_000,
              parameters: task.parameters,
              delta: codec,
              weightDecay: optimizer.weightDecay,
            },
          )
        : checkFrame(frame, task.parameters, codec);
    } catch {
      member.refused += 1;
      return;
    }
    const facts = job.rule === "mean" ? undefined : gauge.measure(ticket, frame, norm);
    if (facts?.agreement !== undefined) {
      agreements[member.attack === undefined ? "honest" : "attackers"].push(facts.agreement);
    }
    const tokens = ticketTokens(ticket, context);
    const delta = await sha256(frame);
    trained += tokens;
    budget.earn(tokens);
    const one: Kept = { ticket, member, frame };
    kept.set(ticket.id, one);
    const { id, volunteer, version } = ticket;
    const candidate = { ticket: id, volunteer, version, tokens, ...(facts && { facts }) };
    if (ours) audits.consider(one, candidate);
    const position = rules.ranges.positionOf(ticket.seed);
    await apply({
      type: "accepted",
      at: now,
      delta,
      position,
      took: ROUND_MS,
      report,
      ...candidate,
      ...askedOf(ticket, norm),
    });
  };
  const audits = new BenchAudits({
    ...{ auditor, examiner, gate: corpus.gate, context, batch, parameters: task.parameters, budget, random },
    auditShare: settings.trust.auditShare,
    parts: partsOf(task.tensors, task.parameters),
    state: () => state,
    weightsOf: (version) => versions[version]!.x,
    keptOf: (ticket) => kept.get(ticket as TicketId)!,
    newestOf: (volunteer, most) =>
      [...kept.values()].filter(({ ticket }) => ticket.volunteer === volunteer).slice(-most),
    record: (event) => apply({ ...event, at: now }),
  });
  const directionDue = () =>
    ours &&
    state.version - directed >= DIRECTION_EVERY &&
    budget.spendFirst(DIRECTION_STEPS * batch * context);
  const ask = (member: Member): Ticket | undefined => {
    const ticket = `${tickets++}`.padStart(22, "0") as TicketId;
    const { state: next, effects } = reduce(
      rules,
      state,
      { type: "asked", volunteer: member.key, ticket, pace: {}, since: Number.NEGATIVE_INFINITY },
      now,
    );
    state = next;
    for (const effect of effects) {
      if (effect.type === "lease") return { ...effect.terms, signature: SIGNATURE };
    }
    return undefined;
  };

  let evaluated = 0;
  let directed = Number.NEGATIVE_INFINITY;
  while (state.phase !== "finished" && now < 5_000 * ROUND_MS) {
    now += ROUND_MS;
    const before = state.version;
    const { x } = versions[before]!;
    if (directionDue()) {
      directed = state.version;
      const rates = rules.rates(state.tokens, DIRECTION_STEPS, rules.batch);
      gauge.direct(
        await direct(auditor, corpus.gate, context, { weights: x, rates, batch, seed: random.u32() }),
      );
    }
    // Those of the rounds before, while this one's deltas wait.
    const auditOthers = audits.due();
    const made: { member: Member; ticket: Ticket; delta: Float32Array | undefined }[] = [];
    for (const member of members) {
      const standing = standingOf(state.trust, member.key);
      if (member.attack?.rejoins?.(standing, rollbacks) && member.sent > 0) member.rejoin();
      const ticket = ask(member);
      if (ticket === undefined) continue;
      const training = member.training(ticket);
      const delta =
        training &&
        (await member.train(trainer, ticket, training, x, { context, codec, decay: residualDecay }));
      made.push({ member, ticket, delta });
    }
    if (rules.rounds) now += TRAIN_MS;
    const honest = made.flatMap(({ member, delta }) => (member.attack === undefined && delta ? [delta] : []));
    random.shuffle(made);
    // A copy comes after what it copies.
    if (attack?.trains === false) made.sort((a, b) => +!!a.member.attack - +!!b.member.attack);
    if (made.length === 0) await auditOthers();
    for (const [place, { member, ticket, delta }] of made.entries()) {
      if (place === made.length >> 1) await auditOthers();
      const { first, sent, text } = member;
      const standing = standingOf(state.trust, member.key);
      const lab = labFor(trainer, x, ticket, { text, all: everything, context });
      const known = { own: delta, honest, first, sent, standing, rollbacks, gains, lab, random };
      const values = member.isHonest(ticket) ? delta : await member.attack?.make(known);
      await upload(member, ticket, values!);
    }
    // A crowd of newcomers with which a run begins waits for its audits, which are made as they come.
    if (state.version === before && state.pool.length > 0 && trustsNobody(state.trust)) await audits.due()();
    now += 45_000; // past every deadline: who is in quarantine is waited for by nobody
    const ticked = reduce(rules, state, { type: "tick" }, now);
    state = ticked.state;
    await perform(ticked.effects);
    if (state.version >= evaluated + EVALUATE_EVERY) {
      evaluated = state.version;
      const loss = Math.min(1e6, (await meter(versions[state.version]!.x, "rough")) || 1e6);
      await apply({
        type: "evaluated",
        at: now,
        version: state.version,
        tokens: state.tokens,
        loss,
        sample: "",
      });
    }
  }
  const { x: last } = versions[state.version]!;
  const final = await meter(last, "final");
  const backdoor = await backdoorPercent(trainer, last, corpus.heldOut, context);
  dispose();
  const tally = (of: readonly Member[]) => tallyOf(kept.values(), of, context);
  return {
    job,
    loss: Number.isFinite(final) ? final : 1e6,
    versions: state.version,
    ...(rules.rounds && { crowds }),
    rollbacks,
    honest: tally(members.filter((member) => member.attack === undefined)),
    attackers: tally(members.filter((member) => member.attack !== undefined)),
    auditShare: budget.spent / trained,
    agreement: { honest: spread(agreements.honest), attackers: spread(agreements.attackers) },
    verdicts: audits.verdicts,
    backdoorPercent: backdoor,
    seconds: (performance.now() - begun) / 1_000,
  };
}
