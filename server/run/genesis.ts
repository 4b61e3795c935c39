import { utf8 } from "../../protocol/bytes.ts";
import { canonicalJson } from "../../protocol/canonical.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { frameBytes } from "../../protocol/frame.ts";
import { as } from "../../protocol/guards.ts";
import { type Identity, sha256 } from "../../protocol/identity.ts";
import { type Hash, isRunId, type RunId } from "../../protocol/ids.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import type { Created } from "../coordinator/events.ts";
import { ratesOf } from "../coordinator/learning-rates.ts";
import { Ranges } from "../coordinator/ranges.ts";
import type { RoundRules } from "../coordinator/rounds.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import { stepsFor, USUAL_STEPS } from "../coordinator/ticket-steps.ts";
import { parseJsonFile } from "../lib/json-file.ts";
import { initialVectors } from "../merge/vectors.ts";
import { type Store, StoreError } from "../store/store.ts";
import { PLACES } from "../trust/shared-audits.ts";
import { weighingRule } from "../trust/weigh.ts";
import { requireFit } from "./fit.ts";
import { hashInPieces } from "./large-hash.ts";
import { deltaCodec, diffCodec, type Merging, mergeRule, sendingCodecs } from "./merge-rule.ts";
import { muonBatch } from "./micro-batch.ts";
import type { AddedText, RunCorpus, Task, TaskFactory, TrainShard } from "./options.ts";
import { encodeEvent } from "./record.ts";
import {
  DEFAULT_SETTINGS,
  earlierDefaults,
  MUON_TIMES,
  type RoundSettings,
  requireShown,
  type Settings,
  SettingsError,
  storedSettings,
} from "./settings.ts";
import { saveSnapshot, storedSnapshots } from "./snapshots.ts";

const RUN_FILE = "run.json";

/** A run's identity and fixed rules, from its first journal record. */
export interface RunDefinition {
  readonly id: RunId;
  readonly settings: Settings;
  readonly task: Task;
  readonly rules: Rules;
  /** The codec of deltas. */
  readonly delta: CodecSpec;
  /** How its next version follows from each. */
  readonly merging: Merging;
}

/**
 * Begins a run: run.json, the first snapshot, and last, since it is what makes it a run, the journal's first
 * record. Cut short at any point it is begun again by the next start. Throws a SettingsError, with nothing
 * written, for settings that do not fit the corpus.
 */
export async function create(
  store: Store,
  identity: Identity,
  corpus: RunCorpus,
  taskOf: TaskFactory,
  given: Settings | undefined,
): Promise<void> {
  const settings = await settle(store, given);
  requireFit(settings, corpus, taskOf);
  const task = taskOf(settings, corpus.vocabulary);
  const vectors = initialVectors(await task.initial(settings.seed));
  const file = task.encode(vectors.x);
  const hash = await hashInPieces(file);
  const others = [...(await storedSnapshots(store))].filter((stored) => stored !== hash);
  if (others.length > 0) throw new StoreError("there are snapshots of a run, but its journal is gone");
  await store.put("run", RUN_FILE, utf8(`${JSON.stringify(settings, null, 2)}\n`));
  await saveSnapshot(store, hash, file, vectors);
  const genesis = {
    settings,
    parameters: task.parameters,
    server: identity.key,
    corpus: await corpusHash(corpus),
  };
  const created: Created = {
    type: "created",
    at: 0,
    hash,
    genesis,
    ...(settings.startPaused && { paused: true }),
  };
  await store.append(encodeEvent(created));
}

/** Reads a run's first record, and checks the key, the corpus and the settings (where given) against it. */
export async function readDefinition(
  created: Created,
  identity: Pick<Identity, "key">,
  corpus: RunCorpus,
  taskOf: TaskFactory,
  given: Settings | undefined,
): Promise<RunDefinition> {
  const { genesis } = created;
  const settings = storedSettings(genesis.settings);
  if (given !== undefined) requireSame(settings, given);
  if (genesis.server !== identity.key) throw new StoreError("server.key is not the key this run began with");
  if (genesis.corpus !== (await corpusHash(corpus))) {
    throw new StoreError("the corpus is not the one this run began with");
  }
  const id = as(isRunId, await sha256(utf8(canonicalJson(created))), "the run's id");
  const task = taskOf(settings, corpus.vocabulary);
  if (task.parameters !== genesis.parameters) {
    throw new StoreError(`the run began with ${String(genesis.parameters)} parameters`);
  }
  return {
    id,
    settings,
    task,
    rules: rulesOf(id, settings, corpus, task.parameters),
    delta: deltaCodec(settings, task.parameters),
    merging: await mergeRule(settings, task),
  };
}

export function rulesOf(
  run: RunId,
  settings: Settings,
  corpus: Pick<RunCorpus, "train" | "added">,
  parameters: number,
  texts: State["texts"] = [],
): Rules {
  const { steps, batch, quorum, crowd, tokenBudget } = settings;
  const usual = steps === "paced" ? USUAL_STEPS : steps;
  const { context } = settings.model;
  const tokensPerStep = batch * context;
  const weight = {
    tokensPerStep,
    deltaBytes: frameBytes(deltaCodec(settings, parameters), parameters),
    diffBytes: frameBytes(diffCodec(settings, Number.POSITIVE_INFINITY), parameters),
  };
  const first = new Ranges(corpus.train, usual * batch, context, settings.seed, steps === "paced");
  const added = corpus.added?.() ?? [];
  return {
    run,
    ranges: texts.reduce(
      (ranges, { from, text }, i) => ranges.extended(from, addedAt(added, i, text)),
      first,
    ),
    texts: added.map(({ text, tokens }) => ({ text, tokens })),
    steps:
      steps === "paced" ? (pace, working, crowded) => stepsFor(weight, pace, working, crowded) : () => steps,
    batch,
    ...(settings.trust.auditors === "volunteers" && { freshPart: 1 / PLACES }),
    ...(settings.rounds !== "turns" && { rounds: roundRules(settings, settings.rounds, parameters) }),
    context,
    leaseMs: settings.leaseSeconds * 1_000,
    quorum,
    crowd,
    tokenBudget,
    weigh: weighingRule(settings.trust.rules, settings.trust.auditShare),
    tripwire: settings.trust.tripwire,
    rates: (tokens, count, sequences, inner, isCrowd) =>
      ratesOf(scheduleOf(settings, inner), tokens, count, sequences * context, isCrowd),
  };
}

/** The shards of the i-th text that came in. Throws a StoreError where the directory has another in its place. */
export function addedAt(added: readonly AddedText[], i: number, text: Hash): readonly TrainShard[] {
  if (added[i]?.text === text) return added[i].train;
  throw new StoreError(`text ${i + 1} that was added to this run (${text}) is not in its directory`);
}

function roundRules(settings: Settings, rounds: RoundSettings, parameters: number): RoundRules {
  const { steps, batch, model, outer } = settings;
  const { context } = model;
  const sendingOf = (codec: CodecSpec) => ({ codec, bytes: frameBytes(codec, parameters) });
  const [finest, ...coarser] = sendingCodecs(settings, parameters);
  return {
    ...(rounds.seconds !== "paced" && { ms: Math.round(1_000 * rounds.seconds) }),
    ...(rounds.batch !== "paced" && { batch: rounds.batch }),
    ...(steps !== "paced" && { steps }),
    ...(rounds.inner !== "paced" && { inner: rounds.inner }),
    ...(outer.muonMomentum !== undefined && { muonCrowds: true }),
    ...(outer.crowdGrows && { crowdGrows: true }),
    ...(outer.startVersions !== undefined && { warmUpInSteps: true }),
    ...{ most: { adamw: batch, muon: muonBatch(settings) }, context },
    sendings: [sendingOf(finest), ...coarser.map(sendingOf)],
  };
}

/** The schedule's rates for what a ticket trains with; the run file's are those of its own inner optimiser. */
function scheduleOf(settings: Settings, inner?: InnerName): Settings {
  const own = settings.optimizer.inner ?? "adamw";
  if (inner === undefined || inner === own) return settings;
  const times = inner === "muon" ? MUON_TIMES : 1 / MUON_TIMES;
  return { ...settings, learningRate: times * settings.learningRate };
}

/** The settings to begin with: those given, else a run.json that is there already, else the defaults. */
async function settle(store: Store, given: Settings | undefined): Promise<Settings> {
  const stored = await store.get("run", RUN_FILE);
  if (stored === undefined) {
    const settings = given ?? DEFAULT_SETTINGS;
    requireShown(settings);
    return settings;
  }
  let json: unknown;
  try {
    json = parseJsonFile(stored);
  } catch {
    throw new SettingsError(`${RUN_FILE} is not JSON`);
  }
  const settings = storedSettings(json);
  if (given !== undefined) requireSame(settings, given);
  return settings;
}

/** The same run file that began a run goes with it for good, whatever the defaults have become. */
function requireSame(settings: Settings, given: Settings): void {
  const possible = [given, ...earlierDefaults(given)];
  const differing = Object.entries(settings)
    .filter(([key, value]) =>
      possible.every((one) => canonicalJson(value) !== canonicalJson(one[key as keyof Settings])),
    )
    .map(([key]) => key);
  if (differing.length > 0) {
    throw new SettingsError(`the run in this directory began with other settings: ${differing.join(", ")}`);
  }
}

async function corpusHash({ vocabulary, tokenizer, train }: RunCorpus): Promise<string> {
  const shards = train.map(({ hash, tokens, weight }) => ({
    hash,
    tokens,
    ...(weight !== undefined && { weight }),
  }));
  return sha256(utf8(canonicalJson({ vocabulary, tokenizer: await sha256(tokenizer.slice()), shards })));
}
