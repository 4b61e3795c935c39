import type { ComponentChildren } from "preact";
import type { RunCard } from "../../protocol/card.ts";
import { common } from "./strings.ts";

type Fact = readonly [term: string, meaning: ComponentChildren];

/** A card's fields beside its purpose and description, in the order in which people read them. All of it is text. */
export function cardFacts(card: RunCard): readonly Fact[] {
  const { who, contact, link, textSource, textLicence, modelLicence } = card;
  const text = common.cardText(textSource, textLicence);
  const facts: readonly (Fact | false)[] = [
    who !== undefined && [common.who, who],
    contact !== undefined && [common.contact, <Address key="contact" href={contact} />],
    link !== undefined && [common.more, <Address key="link" href={link} />],
    text !== "" && [common.textOf, text],
    modelLicence !== undefined && [common.modelLicence, modelLicence],
  ];
  return facts.filter((fact) => fact !== false);
}

/** Shown as it is, so that nobody is led elsewhere by a name; a card's addresses are http, https or mailto alone. */
const Address = ({ href }: { readonly href: string }) => (
  <a href={href} target="_blank" rel="noopener noreferrer">
    {href.replace(/^mailto:/, "")}
  </a>
);

/** The purpose, then the description's paragraphs; nothing where neither is said. */
export function CardText({ card }: { readonly card: RunCard }) {
  const paragraphs = [card.purpose ?? "", ...(card.description ?? "").split("\n\n")];
  return paragraphs
    .filter((text) => text !== "")
    .map((text) => (
      <p key={text} dir="auto">
        {text}
      </p>
    ));
}
