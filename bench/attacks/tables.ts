import type { AttackName } from "./attacks.ts";
import type { AuditRow } from "./audit-rows.ts";
import { type Held, heldBy } from "./bounds.ts";
import { crowdRows, NOBODY } from "./clock-table.ts";
import { gridPartsOf } from "./grid-table.ts";
import type { Outcome } from "./job.ts";
import type { Made, Results } from "./results.ts";
import { type Report, type Row, reportOf } from "./rows.ts";

/** What holds an attack, or does not, for those whose name does not say it. */
const HOW: Partial<Record<AttackName, string>> = {
  "sign flip ×1": "opposes the server's own direction, and no audit finds it good",
  "sign flip ×1000": "refused for its norm",
  "scaling ×100": "refused for its norm",
  gaussian: "refused for its norm",
  "inner product ε 0.1": "two attackers' are copies of each other",
  "inner product ε 0.6": "the same",
  ALIE: "the same",
  ROP: "the same, once each of them is heard of",
  "Min-Max": "the same",
  "Min-Sum": "the same",
  mimic: "always the same honest delta: a copy",
  turncoat:
    "a dozen honest deltas, then flipped ones: audits by chance, and what it earned is forfeited (A32)",
  sleeper: "four flipped of every sixteen: opposes the server's own direction, or is audited for what it did",
  guarded:
    "overfitted, less the honest mean, audited by its sender first: recomputed. **Honest where its ticket is fresh, it is not found**",
  "guarded, opposed": "the same against the server's direction: waits for its audit, or is recomputed",
  "odd-sized": "its own delta × 7.9: clipped, and audited as it is merged",
  "one gain":
    "all gains of one layer norm pushed down: the sum of its harm in that part (A33), after some 25 deltas",
  backdoor: "trained honestly, and a trigger: **not looked for**",
  "break-then-garbage": "trusted, then × −7.9, then noise of new keys: it provoked no roll-back",
  "rejoining flips": "a new key when struck: waits for its audit",
  "new-key garbage": "noise, a new key for each: waits for its audit",
  "scaled copies": "× 1.03: copies",
  "fresh-honest copies": "the same, honest where it is recomputed",
  "under-training":
    "one step of five, made longer, honest where it is recomputed: gains less than a third of what the server's own training does",
  "label flip": "found by an audit, or by the sum of its harm, which may be late",
  sybils: "trains truly, a new key for each delta: newcomers' twentieth",
};

const signed = (value: number): string => {
  const text = Math.abs(value).toFixed(1);
  if (text === "0.0") return "0";
  return `${value < 0 ? "−" : "+"}${text}`;
};
const lossOf = (value: number): string => (value > 1_000 ? "diverges" : signed(value));
const plain = (value: number): string => String(Number(value.toFixed(1)));
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** One row an attack: what it does to the model under the default rule and under plain mean, and what it earns. */
function attacksTable(made: readonly Made[]): string {
  const { rows } = reportOf(made);
  const commitOf = (row: Row) =>
    made.find(
      ({ job }) => job.rule === row.rule && job.attack === row.attack && job.fraction === row.fraction,
    )?.commit ?? "";
  const find = (rule: string, { attack, fraction, sharding }: Row) =>
    rows.find(
      (row) =>
        row.rule === rule && row.attack === attack && row.fraction === fraction && row.sharding === sharding,
    );
  const of = rows.filter(
    ({ rule, fraction, sharding }) => rule === "default" && fraction === 0.2 && sharding === "skewed",
  );
  return table(
    ["attack", "loss", "plain mean", "credit", "honest lost", "audits", "at", "what holds it, or does not"],
    of.map((row) => [
      row.attack,
      lossOf(row.gapToHonestPercent),
      lossOf(find("mean", row)?.gapToHonestPercent ?? Number.NaN),
      plain(row.attackerCreditPercent),
      plain(row.honestLostPercent),
      plain(row.auditPercent),
      commitOf(row),
      HOW[row.attack as AttackName] ?? "found by the first audit",
    ]),
  );
}

const missed = ({ where, value }: Held["missing"][number]): string => `${where}: ${plain(value)}`;

/** What is asked, and whether it is held. */
function boundsTable(held: readonly Held[]): string {
  return table(
    ["asked of the default rule, percent", "bound", "worst", "of", "misses"],
    held.map(({ asked, bound, atLeast, worst, missing }) => [
      asked,
      `${atLeast ? "≥" : "≤"} ${bound}`,
      worst === undefined ? "not measured" : plain(worst.value),
      worst?.where ?? "",
      worst === undefined ? "" : missing.map(missed).join("; ") || "nothing",
    ]),
  );
}

/** Crowds on a clock. */
const clockTable = (outcomes: readonly Outcome[]): string =>
  table(
    [
      "on a clock",
      "loss, nats",
      "above the honest alone",
      "plain mean",
      "credit",
      "honest lost",
      "versions, a crowd's",
    ],
    crowdRows(outcomes).map((row) => [
      row.sharding === "skewed" ? row.attack : `${row.attack}, ${row.sharding}`,
      row.loss.toFixed(2),
      Number.isNaN(row.gap) || row.attack === NOBODY ? "" : lossOf(row.gap),
      row.meanGap === undefined || row.attack === NOBODY ? "" : lossOf(row.meanGap),
      plain(row.creditPercent),
      plain(row.honestLostPercent),
      `${plain(row.versions)}, ${plain(row.crowds)}`,
    ]),
  );

/** Nine Sybils and one honest volunteer. */
const sybilsTable = ({ rows }: Report): string =>
  table(
    ["nine of ten", "loss", "credit", "honest work, of the token budget"],
    rows
      .filter(({ rule, fraction }) => rule === "default" && fraction > 0.5)
      .map((row) => [
        row.attack,
        lossOf(row.gapToHonestPercent),
        plain(row.attackerCreditPercent),
        plain(row.honestWorkPercent),
      ]),
  );

/** The grid's parts, each of one seed. */
const gridTable = (outcomes: readonly Outcome[]): string =>
  table(
    ["text", "attackers", "seed", "attacks", "worst loss", "most credit", "honest lost", "audits", "misses"],
    gridPartsOf(outcomes).map(({ sharding, fraction, seed, attacks, held, credit }) => {
      const worst = (of: Held["of"]) =>
        held
          .flatMap((one) => (one.of === of && one.worst !== undefined ? [one.worst] : []))
          .toSorted((a, b) => b.value - a.value)[0];
      const loss = worst("loss");
      return [
        ...[sharding, `${100 * fraction}%`, String(seed), String(attacks)],
        loss === undefined ? "" : `${lossOf(loss.value)} (${attackIn(loss)})`,
        credit === undefined ? "" : `${plain(credit.value)} (${credit.attack})`,
        ...(["honest lost", "audits"] as const).map((of) => plain(worst(of)?.value ?? Number.NaN)),
        held.flatMap(({ of, missing }) => missing.map((one) => `${of} ${missedBy(one)}`)).join("; ") ||
          "nothing",
      ];
    }),
  );

/** What it is called without its text and fraction, which the part has. */
const attackIn = ({ where }: Held["missing"][number]): string =>
  where.replace(/, (iid|skewed)(, \d+%)?$/, "");
const missedBy = (one: Held["missing"][number]): string => `${attackIn(one)}: ${plain(one.value)}`;

const sizesTable = (audits: readonly AuditRow[]): string =>
  table(
    ["volunteers", "deltas with a verdict", "of all compute", "of the server's thread", "made by volunteers"],
    audits.map(({ volunteers, auditedPercent, computePercent, threadPercent, byVolunteersPercent }) =>
      [volunteers, auditedPercent, computePercent, threadPercent, byVolunteersPercent].map(String),
    ),
  );

/** The document's tables by their names, from results. */
export function tablesOf(results: Pick<Results, "all" | "audits" | "commits">): ReadonlyMap<string, string> {
  const turns = results.all.filter(({ job }) => job.rounds !== "clock");
  const report = reportOf(turns);
  const short = turns.filter(({ job }) => job.seed === 1);
  const audits = results.audits ?? [];
  return new Map([
    ["commits", `At commit ${results.commits.join(", ")}; + stands for changes that were committed next.`],
    ["bounds", boundsTable(heldBy(report, audits))],
    ["short", attacksTable(short.filter(({ job }) => job.sharding === "skewed"))],
    ["grid", gridTable(results.all)],
    ["sybils", sybilsTable(reportOf(short))],
    ["clock", clockTable(results.all)],
    ["sizes", sizesTable(audits)],
  ]);
}

/** A document with each table between its markers, `<!-- bench attacks: NAME -->` and `<!-- / -->`. Throws where one has none. */
export function withTables(document: string, tables: ReadonlyMap<string, string>): string {
  let written = document;
  for (const [name, lines] of tables) {
    const begin = `<!-- bench attacks: ${name} -->\n`;
    const from = written.indexOf(begin);
    const to = written.indexOf("<!-- / -->", from);
    if (from < 0 || to < 0) throw new Error(`the document has no place for the table "${name}"`);
    written = `${written.slice(0, from + begin.length)}\n${lines}\n\n${written.slice(to)}`;
  }
  return written;
}
