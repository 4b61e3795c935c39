import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { SpeedRow, SpeedTable } from "../../protocol/speeds.ts";
import { ColumnHeads } from "../ui/column-heads.tsx";
import { formatCount, formatLarge, formatProbability } from "../ui/format.ts";
import { readSpeeds } from "../ui/speeds-client.ts";
import { Card } from "./parts.tsx";
import { speeds as text } from "./strings.ts";

interface SpeedsProps {
  /** Changes where the table has to be asked for again. */
  readonly again?: unknown;
  /** What may be done about it. */
  readonly actions?: (table: SpeedTable) => ComponentChildren;
}

/** How fast visitors' devices train, as they measured it on /bench. Nothing of it is checked. */
export function Speeds({ again, actions }: SpeedsProps) {
  const [table, setTable] = useState<SpeedTable>();
  useEffect(() => {
    void readSpeeds().then(setTable);
  }, [again]);
  if (table === undefined || (table.rows.length === 0 && actions === undefined)) return null;
  return (
    <Card title={text.title}>
      <p class="note">
        {text.help} <a href="./bench">{text.measure}</a>
      </p>
      {table.rows.length === 0 ? <p class="wait">{text.none}</p> : <Table rows={table.rows} />}
      {actions?.(table)}
    </Card>
  );
}

const Table = ({ rows }: Pick<SpeedTable, "rows">) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
  <section class="scroll devices" tabIndex={0} aria-label={text.table}>
    <table>
      <ColumnHeads columns={text.columns} />
      <tbody>
        {rows.map((row) => (
          <Row key={`${row.device} ${row.adapter} ${row.size}`} row={row} />
        ))}
      </tbody>
    </table>
  </section>
);

const Row = ({
  row: { device, adapter, software, size, tokensPerSecond, ofPeak, times },
}: {
  row: SpeedRow;
}) => (
  <tr>
    <th scope="row" translate={false}>
      {adapter}
    </th>
    <td>{software ? text.software : text.device[device]}</td>
    <td>{text.size[size]}</td>
    <td>{formatLarge(tokensPerSecond)}</td>
    <td>{ofPeak === null ? "–" : formatProbability(Math.min(1, ofPeak))}</td>
    <td>{formatCount(times)}</td>
  </tr>
);
