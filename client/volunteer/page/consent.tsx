import type { ComponentChildren } from "preact";
import type { RunStatus } from "../../../protocol/status.ts";
import { CardText, cardFacts } from "../../ui/card-facts.tsx";
import { text } from "../strings.ts";

export interface ConsentProps {
  readonly status: RunStatus;
  /** The server's host, as the visitor's address bar shows it. */
  readonly host: string;
  /** False where the page came over plain HTTP and training cannot work. */
  readonly secure: boolean;
  readonly onAgree: () => void;
}

type Fact = readonly [term: string, meaning: ComponentChildren];

/** Bytes of one f32 weight: what the first download is made of. */
const WEIGHT_BYTES = 4;

/** The consent text: what would run, for whom, and what leaves the device. Nothing runs before it is accepted. */
export function Consent({ status, host, secure, onAgree }: ConsentProps) {
  const { name, operator, card, parameters, versions, tokensMerged, tokenBudget } = status;
  const isDescribed = card.purpose !== undefined || card.description !== undefined;
  const purpose: readonly Fact[] = isDescribed ? [[text.whatFor, <CardText key="card" card={card} />]] : [];
  const facts: readonly Fact[] = [
    ...purpose,
    [text.whatRuns, text.whatRunsText(parameters, status.audits)],
    [text.forWhom, text.forWhomText(operator, host)],
    ...cardFacts(card),
    [text.leaves, text.leavesText],
    [text.sees, text.seesText],
    [text.until, text.untilText(tokensMerged, tokenBudget)],
    [text.costs, text.costsText(parameters * WEIGHT_BYTES, versions[0]?.diffBytes)],
  ];
  return (
    <section class="card consent" aria-labelledby="consent-title">
      <h2 id="consent-title">{text.consentTitle(name)}</h2>
      <dl>
        {facts.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      {secure ? (
        <>
          <button type="button" class="primary large" onClick={onAgree}>
            {text.agree}
          </button>
          <p class="note">{text.promise}</p>
          <p class="note">
            <a href="./how">{text.howLink}</a>
          </p>
        </>
      ) : (
        <p class="warning" role="alert">
          {text.insecure}
        </p>
      )}
    </section>
  );
}
