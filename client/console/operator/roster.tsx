import { isErrorCode } from "../../../protocol/errors.ts";
import type { Overview } from "../../../protocol/operator.ts";
import type { Enlisted } from "../../../protocol/roster.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { formatCount, formatDuration, formatLarge } from "../../ui/format.ts";
import { REFUSED } from "../strings.ts";
import { Sure } from "./controls.tsx";
import type { OperatorClient } from "./operator-client.ts";
import { roster as text } from "./strings.ts";

interface RosterProps {
  readonly client: OperatorClient;
  readonly overview: Overview;
}

/** Single volunteers, and beside each the ruling on it. Their names are strangers' words: text nodes. */
export function Roster({ client, overview: { volunteers } }: RosterProps) {
  if (volunteers.length === 0) return <p class="wait">{text.none}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={text.table}>
      <table class="roster stacked">
        <ColumnHeads columns={text.columns} />
        <tbody>
          {volunteers.map((one) => (
            <Row key={one.volunteer} client={client} one={one} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ client, one }: Pick<RosterProps, "client"> & { readonly one: Enlisted }) {
  const { volunteer, name, standing, outMs } = one;
  const short = `${volunteer.slice(0, 8)}…`;
  const out = standing === "banned" || standing === "quarantined";
  return (
    <tr class={standing}>
      <th scope="row">
        {name !== null && <span class="name">{name}</span>}
        <code title={volunteer}>{short}</code>
        <small>{[kindOf(one), seenOf(one)].filter((part) => part !== "").join(" · ")}</small>
      </th>
      <td data-label={text.columns[1]}>
        {formatCount(one.merged)}
        <small>{text.tokens(formatLarge(one.tokens))}</small>
        {one.linked > 0 && <small>{text.linked(formatCount(one.linked), formatLarge(one.together))}</small>}
      </td>
      <td data-label={text.columns[2]}>
        <NotTaken one={one} />
      </td>
      <td data-label={text.columns[3]}>
        {text.standing[standing]}
        {outMs > 0 && <small>{text.outFor(formatDuration(outMs))}</small>}
      </td>
      <td class="ruling">
        {out ? (
          <button
            type="button"
            aria-label={text.forgiveWhom(name ?? short)}
            onClick={() => void client.act({ action: "forgive", volunteer })}
          >
            {text.forgive}
          </button>
        ) : (
          <Sure
            name={text.ban}
            label={text.banWhom(name ?? short)}
            why={text.banSure(name === null ? short : `${name} (${short})`)}
            yes={text.banYes}
            no={text.banNo}
            onYes={() => void client.act({ action: "ban", volunteer })}
          />
        )}
      </td>
    </tr>
  );
}

/** A volunteer's refused work, by reason. */
function NotTaken({ one: { refused, discarded } }: { readonly one: Enlisted }) {
  const reasons = Object.entries(refused).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0 && discarded === 0) return <>{text.nothing}</>;
  return (
    <ul>
      {reasons.map(([code, times]) => (
        <li key={code} title={isErrorCode(code) ? REFUSED[code] : ""}>
          {formatCount(times)} × <code>{code}</code>
        </li>
      ))}
      {discarded > 0 && <li>{text.discarded(formatCount(discarded))}</li>}
    </ul>
  );
}

const kindOf = ({ browser, device, backend }: Enlisted): string =>
  browser === "" ? "" : text.kind(browser, device, backend);

const seenOf = ({ seenMs }: Enlisted): string =>
  seenMs === null ? text.notSeen : text.seen(formatDuration(seenMs));
