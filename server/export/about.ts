import { type QuestionSet, questionSet } from "../../protocol/answers.ts";
import { parseCard, type RunCard } from "../../protocol/card.ts";
import { asArray, asInteger, asNumber, asObject, asText, type Json } from "../../protocol/guards.ts";
import { MAX_LABEL, MAX_LOSS } from "../../protocol/limits.ts";
import type { HeldOutPoint, RunStatus } from "../../protocol/status.ts";

/** What an export tells its readers of the run, beside the model itself. */
export interface About {
  readonly operator: string;
  readonly card: RunCard;
  readonly tokensMerged: number;
  readonly bytesPerToken: number | null;
  readonly questions: QuestionSet | null;
  /** The newest measurement; undefined before the first. */
  readonly heldOut: HeldOutPoint | undefined;
}

export const aboutOf = (status: RunStatus): About => {
  const { operator, card, tokensMerged, bytesPerToken, questions, heldOut } = status;
  return { operator, card, tokensMerged, bytesPerToken, questions, heldOut: heldOut.at(-1) };
};

/** Points of a curve: the server thins to a few hundred (rule M2). */
const MAX_POINTS = 5_000;

/** Reads `GET /api/run` as far as an export needs it. Throws `bad-request`. */
export function parseAbout(json: Json): About {
  const last = asArray(json.heldOut, "heldOut", MAX_POINTS).at(-1);
  return {
    operator: asText(json.operator, "operator", MAX_LABEL),
    card: parseCard(json.card === undefined ? {} : asObject(json.card, "card")),
    tokensMerged: asInteger(json.tokensMerged, "tokensMerged", 0, Number.MAX_SAFE_INTEGER),
    bytesPerToken:
      json.bytesPerToken == null ? null : asNumber(json.bytesPerToken, "bytesPerToken", 0.01, 10_000),
    questions: json.questions == null ? null : questionSet(json.questions, "questions"),
    heldOut: last === undefined ? undefined : parsePoint(asObject(last, "heldOut[]")),
  };
}

const parsePoint = ({ version, tokens, loss, right }: Json): HeldOutPoint => ({
  version: asInteger(version, "heldOut[].version", 0, Number.MAX_SAFE_INTEGER),
  tokens: asInteger(tokens, "heldOut[].tokens", 0, Number.MAX_SAFE_INTEGER),
  loss: asNumber(loss, "heldOut[].loss", 0, MAX_LOSS),
  ...(right !== undefined && {
    right: asInteger(right, "heldOut[].right", 0, Number.MAX_SAFE_INTEGER),
  }),
});
