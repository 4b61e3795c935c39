import type { Row } from "./rows.ts";

const HEADINGS =
  "model  scenario     recipe         seeds   tokens    loss    sync         gap ± error  vs Muon  bits up  down  (join)  versions  steps  goodput";

/** The rows as text, one a line, under their headings. */
export function tableOf(rows: readonly Row[]): string {
  return [HEADINGS, ...rows.map(line)].join("\n");
}

function line(row: Row): string {
  const error = row.gapError === null ? "     –" : `${row.gapError.toFixed(2)}%`.padStart(6);
  const muon = row.gapMuonPercent === null ? "–" : percent(row.gapMuonPercent);
  return [
    row.model.padEnd(5),
    row.scenario.padEnd(11),
    row.recipe.padEnd(13),
    String(row.seeds).padStart(5),
    `${(row.tokens / 1e6).toFixed(2)}M`.padStart(7),
    row.loss.toFixed(4),
    row.lossSync.toFixed(4),
    `${percent(row.gapPercent).padStart(9)} ± ${error}`,
    muon.padStart(7),
    row.bitsUp.toFixed(2).padStart(7),
    row.bitsDown.toFixed(2).padStart(5),
    row.bitsJoin.toFixed(2).padStart(6),
    String(row.versions).padStart(8),
    row.steps.toFixed(1).padStart(5),
    `${(100 * row.goodput).toFixed(0)}%`.padStart(7),
  ].join("  ");
}

const percent = (value: number): string => `${value > 0 ? "+" : ""}${value.toFixed(2)}%`;
