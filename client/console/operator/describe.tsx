import { useEffect, useState } from "preact/hooks";
import type { RunCard } from "../../../protocol/card.ts";
import { CardFields, cardSaid } from "../card-form.tsx";
import type { OperatorClient } from "./operator-client.ts";
import { text } from "./strings.ts";

/** The form's id, to be led to. */
export const DESCRIBE = "describe";

interface DescribeProps {
  readonly client: OperatorClient;
  /** As visitors read it now. */
  readonly card: RunCard;
}

/** What people read of the run, to be changed. */
export function Describe({ client, card }: DescribeProps) {
  const [edited, setEdited] = useState<RunCard>();
  const [sent, setSent] = useState(false);
  const kept = JSON.stringify(card);
  // What was typed is shown until the server says what it kept.
  useEffect(() => {
    if (sent) setEdited(undefined);
  }, [kept]);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (edited === undefined) return;
    setSent(true);
    await client.act({ action: "describe", card: cardSaid(edited) });
  };
  const change = (next: RunCard) => {
    setEdited(next);
    setSent(false);
  };
  return (
    <form id={DESCRIBE} class="settings" onSubmit={(event) => void submit(event)}>
      <p class="note long">{text.describeHelp}</p>
      <CardFields card={edited ?? card} setCard={change} />
      <button type="submit" disabled={edited === undefined}>
        {text.save}
      </button>
      {sent && <p class="note">{client.said.value}</p>}
    </form>
  );
}
