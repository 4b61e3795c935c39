import type { Overview } from "../../../protocol/operator.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { text } from "./strings.ts";

const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const timeOf = (at: string) => (Number.isNaN(Date.parse(at)) ? at : when.format(new Date(at)));

/** Operators' actions, the newest first. */
export function Log({ overview: { log } }: { readonly overview: Pick<Overview, "log"> }) {
  if (log.length === 0) return <p class="wait">{text.noLog}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={text.logColumns.join(", ")}>
      <table class="log">
        <ColumnHeads columns={text.logColumns} />
        <tbody>
          {log.map(({ at, who, action }, i) => (
            <tr key={log.length - i}>
              <td>
                <time dateTime={at}>{timeOf(at)}</time>
              </td>
              <td>{who}</td>
              <td>{action}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
