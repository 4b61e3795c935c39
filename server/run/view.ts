import type { Identity } from "../../protocol/identity.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { ModelShape } from "../../protocol/model.ts";
import { isPackable } from "../../protocol/packed-frame.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { roundStatus } from "../coordinator/effort.ts";
import { activeAt } from "../coordinator/leases.ts";
import { ACTIVE_MS } from "../coordinator/rules.ts";
import type { RunDefinition } from "./genesis.ts";
import type { LiveRun } from "./live-run.ts";
import { largestBatch } from "./micro-batch.ts";
import type { RunCorpus } from "./options.ts";

export type FixedManifest = Omit<Manifest, "state" | "version" | "hash">;

/** The part of the manifest that never changes. */
export async function fixedManifest(
  { id, settings, task, delta }: RunDefinition,
  corpus: RunCorpus,
  identity: Identity,
  mirror?: string,
): Promise<FixedManifest> {
  const { name, operator, optimizer, residualDecay, peers, trust } = settings;
  const model: ModelShape = { ...settings.model, vocabulary: corpus.vocabulary };
  return {
    protocol: PROTOCOL_VERSION,
    run: id,
    name,
    operator,
    task: "language",
    model,
    parameters: task.parameters,
    server: identity.key,
    tokenizer: await sha256(corpus.tokenizer),
    optimizer,
    batch: largestBatch(settings),
    delta,
    ...(isPackable(delta) && { packed: true }),
    residualDecay,
    ...(peers.on && { peers: { ice: peers.ice } }),
    ...(trust.auditors === "volunteers" && trust.auditShare > 0 && { audits: true }),
    ...(mirror !== undefined && { mirror }),
  };
}

/** What is known of the held-out text before any version is measured on it. */
export type KnownText = Pick<RunStatus, "baselines" | "bytesPerToken" | "questions">;

/** The answer of `GET /api/run`. */
export function statusOf(
  fixed: FixedManifest,
  known: KnownText,
  live: Pick<LiveRun, "state" | "definition" | "clock">,
  refused: RunStatus["deltas"]["refused"],
): RunStatus {
  const { state, definition } = live;
  const now = live.clock.now();
  const { protocol, run, name, operator, model, parameters } = fixed;
  const lately = state.recent.filter(({ at }) => now - at < ACTIVE_MS);
  // By the run clock, as they are: who opened the run a second ago divided a minute's tokens by that second.
  const seconds = Math.min(ACTIVE_MS, Math.max(1_000, now)) / 1_000;
  return {
    protocol,
    run,
    name,
    operator,
    card: definition.settings.card,
    state: state.phase,
    version: state.version,
    modelHash: state.hash,
    model,
    parameters,
    heldOut: state.heldOut,
    ...(state.texts.length > 0 && {
      added: {
        texts: state.texts.length,
        tokens: state.texts.reduce((sum, { tokens }) => sum + tokens, 0),
      },
    }),
    ...known,
    tokensMerged: state.tokens,
    tokenBudget: definition.settings.tokenBudget,
    tokensPerSecond: lately.reduce((sum, { tokens }) => sum + tokens, 0) / seconds,
    volunteers: activeAt(state, now),
    deltas: { merged: state.merged, refused },
    ...(fixed.audits && { audits: true }),
    rounds: roundStatus(definition.rules, state),
    versions: state.versions,
    prompts: definition.settings.prompts,
    sample: state.sample,
    samples: state.samples,
  };
}
