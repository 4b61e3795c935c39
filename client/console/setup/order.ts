import { layoutOf } from "../../../model/contract/layout.ts";
import type { RunCard } from "../../../protocol/card.ts";
import type { ModelShape } from "../../../protocol/model.ts";
import type { SetupOrder, TextSource } from "../../../protocol/setup.ts";
import { cardSaid } from "../card-form.tsx";

/** The form's fields. */
export interface Draft extends ModelShape {
  readonly source: "upload" | "moby-dick";
  readonly name: string;
  readonly operator: string;
  readonly card: RunCard;
  /** Beginnings that versions go on from, one a line. */
  readonly prompts: string;
  readonly tokenBudget: number;
  readonly paused: boolean;
}

export type Size = ModelShape & Pick<Draft, "tokenBudget">;

/**
 * Sizes to choose from: each about four times the one before, with some twenty tokens a parameter (2203.15556), or at
 * the smallest what the default run has.
 */
export const PRESETS: readonly Size[] = [
  { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512, tokenBudget: 20_000_000 },
  { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 2_048, tokenBudget: 30_000_000 },
  { layers: 6, heads: 6, width: 240, context: 256, vocabulary: 4_096, tokenBudget: 120_000_000 },
  { layers: 8, heads: 8, width: 448, context: 256, vocabulary: 8_192, tokenBudget: 500_000_000 },
];

export const FIRST_DRAFT: Draft = {
  source: "upload",
  name: "",
  operator: "",
  card: {},
  prompts: "",
  ...PRESETS[0]!,
  paused: true,
};

export const isPreset = (draft: Draft, preset: Size): boolean =>
  SIZES.every((key) => draft[key] === preset[key]);

export const SIZES = ["layers", "heads", "width", "context", "vocabulary", "tokenBudget"] as const;

/** Undefined where the numbers make no model. */
export function parametersOf({ layers, heads, width, context, vocabulary }: Size): number | undefined {
  try {
    return layoutOf({ layers, heads, width, context, vocabulary }).length;
  } catch {
    return undefined;
  }
}

export function orderOf(draft: Draft, text: TextSource): SetupOrder {
  const { layers, heads, width, context, vocabulary, tokenBudget, paused } = draft;
  const name = draft.name.trim();
  const operator = draft.operator.trim();
  const card = cardSaid(draft.card);
  const prompts = draft.prompts.split("\n").filter((line) => line.trim() !== "");
  return {
    text,
    vocabulary,
    paused,
    settings: {
      ...(name !== "" && { name }),
      ...(operator !== "" && { operator }),
      ...(Object.keys(card).length > 0 && { card }),
      ...(prompts.length > 0 && { prompts }),
      model: { layers, heads, width, context },
      tokenBudget,
    },
  };
}
