import { CARD_CHARS, CARD_KEYS, type RunCard } from "../../protocol/card.ts";
import { cardForm as text } from "./strings.ts";

interface CardFieldsProps {
  readonly card: RunCard;
  readonly setCard: (card: RunCard) => void;
}

const LONG = ["purpose", "description"] as const;
const SHORT = CARD_KEYS.filter((key) => !LONG.some((long) => long === key));

/** The fields of a run's card; an emptied one says nothing. */
export function CardFields({ card, setCard }: CardFieldsProps) {
  const given = (key: keyof RunCard) => ({
    value: card[key] ?? "",
    maxLength: CARD_CHARS[key],
    onInput: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
      setCard({ ...card, [key]: currentTarget.value }),
  });
  return (
    <>
      {LONG.map((key) => (
        <label key={key} class="long">
          <span>{text[key]}</span>
          <textarea rows={key === "purpose" ? 2 : 4} {...given(key)} />
          <small>{text.help[key]}</small>
        </label>
      ))}
      {SHORT.map((key) => (
        <label key={key}>
          <span>{text[key]}</span>
          <input {...given(key)} />
          <small>{text.help[key]}</small>
        </label>
      ))}
    </>
  );
}

/** A card as it is sent: without what was left empty. */
export const cardSaid = (card: RunCard): RunCard =>
  Object.fromEntries(Object.entries(card).filter(([, value]) => value.trim() !== ""));
