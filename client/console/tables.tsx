import { isErrorCode } from "../../protocol/errors.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { ColumnHeads } from "../ui/column-heads.tsx";
import { formatBytes, formatCount, formatDuration } from "../ui/format.ts";
import { REFUSED, text } from "./strings.ts";

/** The newest versions, newest first. */
export function VersionsTable({ versions }: Pick<RunStatus, "versions">) {
  if (versions.length === 0) return <p class="wait">{text.noVersions}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={text.versionsTable}>
      <table>
        <ColumnHeads columns={text.columns} />
        <tbody>
          {versions.map(({ version, deltas, tokens, ms, diffBytes, hash }) => (
            <tr key={version}>
              <th scope="row">{formatCount(version)}</th>
              <td>{formatCount(deltas)}</td>
              <td>{formatCount(tokens)}</td>
              <td>{formatDuration(ms)}</td>
              <td>{formatBytes(diffBytes)}</td>
              <td class="hash" title={hash}>
                {hash.slice(0, 12)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Refusals by reason, commonest first, each with what it means. */
export function RefusedTable({ refused }: Pick<RunStatus["deltas"], "refused">) {
  const rows = Object.entries(refused).sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return <p class="wait">{text.noneRefused}</p>;
  return (
    <table class="refused">
      <ColumnHeads columns={text.refusedColumns} />
      <tbody>
        {rows.map(([code, times]) => (
          <tr key={code}>
            <th scope="row">
              <code>{code}</code>
            </th>
            <td>{formatCount(times)}</td>
            <td>{isErrorCode(code) ? REFUSED[code] : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
