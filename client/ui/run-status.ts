import { parseQuestionSet } from "../../protocol/answers.ts";
import { parseCard } from "../../protocol/card.ts";
import { type ErrorCode, isErrorCode, ProtocolError } from "../../protocol/errors.ts";
import { parseWritten } from "../../protocol/events.ts";
import {
  as,
  asArray,
  asBoolean,
  asInteger,
  asNumber,
  asObject,
  asText,
  type Json,
} from "../../protocol/guards.ts";
import { isHash, isRunId } from "../../protocol/ids.ts";
import {
  MAX_BATCH,
  MAX_LABEL,
  MAX_LOSS,
  MAX_PROMPT_CHARS,
  MAX_PROMPTS,
  MAX_STEPS,
} from "../../protocol/limits.ts";
import { isRunState } from "../../protocol/manifest.ts";
import { parseModelShape } from "../../protocol/model.ts";
import type {
  CrowdStatus,
  HeldOutPoint,
  RoundStatus,
  RunStatus,
  Sample,
  VersionSummary,
} from "../../protocol/status.ts";
import { isInner } from "../../protocol/ticket.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";

const MAX = Number.MAX_SAFE_INTEGER;
/** Rows and points a page is willing to draw; the server thins to a few hundred (rule M2). */
const MAX_ROWS = 5_000;
const MAX_SAMPLE = 2_000;
/** Early samples: one for each fourfold growth of a run. */
const MAX_SAMPLES = 32;

/** Reads `GET /api/run`. Throws `protocol-mismatch` before anything else, then `bad-request`. */
export function parseRunStatus(json: Json): RunStatus {
  if (json.protocol !== PROTOCOL_VERSION) {
    throw new ProtocolError("protocol-mismatch", `the server speaks protocol ${String(json.protocol)}`);
  }
  const baselines = asObject(json.baselines, "baselines");
  const deltas = asObject(json.deltas, "deltas");
  return {
    protocol: PROTOCOL_VERSION,
    run: as(isRunId, json.run, "run"),
    name: asText(json.name, "name", MAX_LABEL),
    operator: asText(json.operator, "operator", MAX_LABEL),
    card: parseCard(json.card === undefined ? {} : asObject(json.card, "card")),
    state: as(isRunState, json.state, "state"),
    version: count(json.version, "version"),
    modelHash: as(isHash, json.modelHash, "modelHash"),
    model: parseModelShape(json.model),
    parameters: count(json.parameters, "parameters"),
    heldOut: asArray(json.heldOut, "heldOut", MAX_ROWS).map(parsePoint),
    baselines: {
      uniform: nats(baselines.uniform, "baselines.uniform"),
      unigram: nats(baselines.unigram, "baselines.unigram"),
      bigram: nats(baselines.bigram, "baselines.bigram"),
    },
    bytesPerToken: parseBytes(json.bytesPerToken),
    tokensMerged: count(json.tokensMerged, "tokensMerged"),
    tokenBudget: asNumber(json.tokenBudget, "tokenBudget", 0, MAX),
    tokensPerSecond: asNumber(json.tokensPerSecond, "tokensPerSecond", 0, MAX),
    volunteers: count(json.volunteers, "volunteers"),
    deltas: { merged: count(deltas.merged, "deltas.merged"), refused: parseRefused(deltas.refused) },
    ...(json.audits !== undefined && asBoolean(json.audits, "audits") && { audits: true }),
    rounds: json.rounds === null ? null : parseRounds(json.rounds),
    versions: asArray(json.versions, "versions", MAX_ROWS).map(parseVersion),
    questions: json.questions == null ? null : parseQuestionSet(asObject(json.questions, "questions")),
    prompts: json.prompts === undefined ? [] : parsePrompts(json.prompts),
    sample: json.sample === null ? null : parseSample(json.sample),
    samples: asArray(json.samples, "samples", MAX_SAMPLES).map(parseSample),
  };
}

const count = (value: unknown, field: string) => asInteger(value, field, 0, MAX);
const nats = (value: unknown, field: string) => asNumber(value, field, 0, MAX_LOSS);

/** Not there in a server of a release before it was measured; more than a whole document a token is none. */
const parseBytes = (value: unknown): number | null =>
  value === undefined || value === null ? null : asNumber(value, "bytesPerToken", 0.01, 10_000);

function parsePoint(value: unknown): HeldOutPoint {
  const json = asObject(value, "heldOut[]");
  return {
    version: count(json.version, "heldOut[].version"),
    tokens: count(json.tokens, "heldOut[].tokens"),
    loss: nats(json.loss, "heldOut[].loss"),
    ...(json.right !== undefined && { right: count(json.right, "heldOut[].right") }),
  };
}

function parseVersion(value: unknown): VersionSummary {
  const json = asObject(value, "versions[]");
  return {
    version: count(json.version, "versions[].version"),
    hash: as(isHash, json.hash, "versions[].hash"),
    deltas: count(json.deltas, "versions[].deltas"),
    tokens: count(json.tokens, "versions[].tokens"),
    ms: count(json.ms, "versions[].ms"),
    diffBytes: count(json.diffBytes, "versions[].diffBytes"),
  };
}

function parseRounds(value: unknown): RoundStatus {
  const json = asObject(value, "rounds");
  return {
    ms: count(json.ms, "rounds.ms"),
    inner: as(isInner, json.inner, "rounds.inner"),
    batch: asInteger(json.batch, "rounds.batch", 1, MAX_BATCH),
    lately: json.lately === null ? null : parseLately(json.lately),
  };
}

function parseLately(value: unknown): NonNullable<RoundStatus["lately"]> {
  const json = asObject(value, "rounds.lately");
  return {
    versions: count(json.versions, "rounds.lately.versions"),
    steps: asNumber(json.steps, "rounds.lately.steps", 0, MAX_STEPS),
    late: asNumber(json.late, "rounds.lately.late", 0, 1),
    goodput: asNumber(json.goodput, "rounds.lately.goodput", 0, 1),
    crowd: json.crowd === null ? null : parseCrowd(json.crowd),
  };
}

function parseCrowd(value: unknown): CrowdStatus {
  const json = asObject(value, "rounds.lately.crowd");
  return {
    cosine: asNumber(json.cosine, "rounds.lately.crowd.cosine", -1, 1),
    oneMore: asNumber(json.oneMore, "rounds.lately.crowd.oneMore", 0, 1),
    useful: json.useful === null ? null : count(json.useful, "rounds.lately.crowd.useful"),
  };
}

/** Codes this page does not know are of a later minor version, and left out. */
function parseRefused(value: unknown): RunStatus["deltas"]["refused"] {
  const refused: Partial<Record<ErrorCode, number>> = {};
  for (const [code, times] of Object.entries(asObject(value, "deltas.refused"))) {
    if (isErrorCode(code)) refused[code] = count(times, `deltas.refused.${code}`);
  }
  return refused;
}

const parsePrompts = (value: unknown) =>
  asArray(value, "prompts", MAX_PROMPTS).map((prompt) => asText(prompt, "prompts[]", MAX_PROMPT_CHARS));

function parseSample(value: unknown): Sample {
  const json = asObject(value, "sample");
  return {
    version: count(json.version, "sample.version"),
    text: asText(json.text, "sample.text", MAX_SAMPLE),
    ...parseWritten(json),
  };
}
