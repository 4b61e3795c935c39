import { rmSync } from "node:fs";
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { utf8 } from "../../protocol/bytes.ts";
import { parseJson } from "../../protocol/guards.ts";
import { isHash, isRunId, isTicketId, isVolunteerKey, type RunId } from "../../protocol/ids.ts";
import { parseAudit } from "../../protocol/people.ts";
import {
  type EndedDelta,
  hourOf,
  type Index,
  type IndexEntry,
  type IndexedDelta,
  type IndexedVersion,
  StoreError,
} from "./store.ts";

/** Number of the tables' format, raised with every change: an index of another format is rebuilt, never migrated. */
const FORMAT = 6;

const TABLES = `
  CREATE TABLE meta (run TEXT NOT NULL, applied INTEGER NOT NULL) STRICT;
  CREATE TABLE deltas (
    ticket TEXT PRIMARY KEY, volunteer TEXT NOT NULL, delta TEXT NOT NULL, version INTEGER NOT NULL,
    tokens INTEGER NOT NULL, accepted INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0, merged INTEGER, -- the version merged into, null where discarded
    counted INTEGER, -- tokens that it counted for there; null: all of its own
    audit TEXT -- the newest audit of it, as JSON
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX whose ON deltas (volunteer, accepted);
  CREATE TABLE credit (
    volunteer TEXT PRIMARY KEY, tokens INTEGER NOT NULL DEFAULT 0, merged INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0, discarded INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE hours (
    volunteer TEXT NOT NULL, hour INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (volunteer, hour)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE versions (version INTEGER PRIMARY KEY, closed INTEGER NOT NULL, published INTEGER) STRICT;
  PRAGMA user_version = ${FORMAT};
`;

/**
 * The index in SQLite. Nothing in it is the truth, so it is never synced, and a file that is damaged or of
 * another format is thrown away: the journal fills a new one.
 */
export function sqliteIndex(path: string): Index {
  try {
    return new SqliteIndex(openSound(path));
  } catch {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
    return new SqliteIndex(openSound(path));
  }
}

function openSound(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    const found = database.prepare("PRAGMA user_version").get()?.user_version;
    if (found === 0) database.exec(TABLES);
    else if (found !== FORMAT) throw new StoreError(`index format ${String(found)}`);
    const check = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (check !== "ok") throw new StoreError(`the index is damaged: ${String(check)}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteIndex implements Index {
  readonly #database: DatabaseSync;
  readonly #statements: Record<keyof typeof SQL, StatementSync>;
  #applied: number;
  #run: RunId | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const prepare = (name: keyof typeof SQL) => database.prepare(SQL[name]);
    this.#statements = {
      insert: prepare("insert"),
      pend: prepare("pend"),
      end: prepare("end"),
      grant: prepare("grant"),
      grantHour: prepare("grantHour"),
      earn: prepare("earn"),
      recent: prepare("recent"),
      mine: prepare("mine"),
      revoke: prepare("revoke"),
      withdraw: prepare("withdraw"),
      audit: prepare("audit"),
      step: prepare("step"),
      closed: prepare("closed"),
      published: prepare("published"),
      delta: prepare("delta"),
      ended: prepare("ended"),
      version: prepare("version"),
      credit: prepare("credit"),
      meta: prepare("meta"),
    };
    const meta = this.#statements.meta.get();
    this.#applied = Number(meta?.applied ?? 0);
    this.#run = isRunId(meta?.run) ? meta.run : undefined;
  }

  get applied(): number {
    return this.#applied;
  }

  get run(): RunId | undefined {
    return this.#run;
  }

  clear(run: RunId): void {
    this.#within(() => {
      this.#database.exec(
        "DELETE FROM meta; DELETE FROM deltas; DELETE FROM credit; DELETE FROM hours; DELETE FROM versions",
      );
      this.#database.prepare("INSERT INTO meta (run, applied) VALUES (?, 0)").run(run);
    });
    this.#applied = 0;
    this.#run = run;
  }

  apply(entries: readonly IndexEntry[]): void {
    const { insert, pend, end, grant, grantHour, earn, audit, closed, published, step } = this.#statements;
    this.#within(() => {
      for (const entry of entries) {
        if (entry.type === "accepted") {
          const { ticket, volunteer, delta, version, tokens, accepted } = entry.delta;
          insert.run(ticket, volunteer, delta, version, tokens, accepted);
          pend.run(volunteer);
        } else if (entry.type === "closed") {
          closed.run(entry.version, this.#applied);
        } else if (entry.type === "published") {
          published.run(this.#applied, entry.version);
        } else if (entry.type === "audited") {
          audit.run(JSON.stringify(entry.audit), entry.ticket);
        } else if (entry.type === "earned") {
          earn.run(entry.volunteer, entry.tokens);
          grantHour.run(entry.volunteer, hourOf(entry.at), entry.tokens);
        } else if (entry.type === "revoked") {
          this.#revoke(entry.ticket);
        } else if (entry.type === "forfeited") {
          for (const { ticket } of this.#statements.mine.all(entry.volunteer, entry.deltas))
            this.#revoke(String(ticket));
        } else {
          const ended = end.get(entry.version, entry.tokens ?? null, entry.ticket);
          const merged = entry.version === null ? 0 : 1;
          if (ended !== undefined) {
            const tokens = ended.revoked === 0 ? merged * Number(ended.granted) : 0;
            grant.run(tokens, merged, 1 - merged, String(ended.volunteer));
            if (tokens > 0) grantHour.run(String(ended.volunteer), hourOf(Number(ended.accepted)), tokens);
          }
        }
      }
      step.run();
    });
    this.#applied += 1;
  }

  delta(ticket: string): IndexedDelta | undefined {
    const row = this.#statements.delta.get(ticket);
    return row === undefined ? undefined : deltaOf(row);
  }

  deltasOf(volunteer: string, most: number): EndedDelta[] {
    return this.#statements.mine.all(volunteer, most).map((row) => {
      const merged = row.ended === 0 ? undefined : row.merged === null ? null : Number(row.merged);
      const audit = typeof row.audit === "string" ? parseAudit(parseJson(utf8(row.audit))) : undefined;
      const counted = typeof row.counted === "number" ? row.counted : undefined;
      return { ...deltaOf(row), merged, counted, audit };
    });
  }

  end(ticket: string): number | null | undefined {
    const row = this.#statements.ended.get(ticket);
    if (row === undefined || row.ended === 0) return undefined;
    return row.merged === null ? null : Number(row.merged);
  }

  version(version: number): IndexedVersion | undefined {
    const row = this.#statements.version.get(version);
    if (row === undefined || row.published === null) return undefined;
    return { closed: Number(row.closed), published: Number(row.published) };
  }

  credit(volunteer: string, since: number) {
    const row = this.#statements.credit.get(volunteer);
    const recent = this.#statements.recent.get(volunteer, hourOf(since));
    return {
      tokens: Number(row?.tokens ?? 0),
      recent: Number(recent?.tokens ?? 0),
      merged: Number(row?.merged ?? 0),
      pending: Number(row?.pending ?? 0),
      discarded: Number(row?.discarded ?? 0),
    };
  }

  close(): void {
    this.#database.close();
  }

  #revoke(ticket: string): void {
    const { revoke, withdraw, grantHour } = this.#statements;
    const delta = revoke.get(ticket);
    if (delta?.merged == null) return;
    withdraw.run(Number(delta.granted), String(delta.volunteer));
    grantHour.run(String(delta.volunteer), hourOf(Number(delta.accepted)), -Number(delta.granted));
  }

  #within(work: () => void): void {
    this.#database.exec("BEGIN");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

function deltaOf(row: Readonly<Record<string, SQLOutputValue>>): IndexedDelta {
  const { ticket, volunteer, delta } = row;
  if (!isTicketId(ticket) || !isVolunteerKey(volunteer) || !isHash(delta)) {
    throw new StoreError(`the index holds no delta for ticket ${String(ticket)}, but something else`);
  }
  const { version, tokens, accepted } = row;
  return {
    ticket,
    volunteer,
    delta,
    version: Number(version),
    tokens: Number(tokens),
    accepted: Number(accepted),
  };
}

const SQL = {
  insert:
    "INSERT INTO deltas (ticket, volunteer, delta, version, tokens, accepted) VALUES (?, ?, ?, ?, ?, ?)",
  pend: "INSERT INTO credit (volunteer, pending) VALUES (?, 1) ON CONFLICT DO UPDATE SET pending = pending + 1",
  end: `UPDATE deltas SET ended = 1, merged = ?, counted = ? WHERE ticket = ? AND ended = 0
    RETURNING volunteer, COALESCE(counted, tokens) AS granted, revoked, accepted`,
  revoke: `UPDATE deltas SET revoked = 1 WHERE ticket = ? AND revoked = 0
    RETURNING volunteer, COALESCE(counted, tokens) AS granted, accepted, CASE ended WHEN 1 THEN merged END AS merged`,
  audit: "UPDATE deltas SET audit = ? WHERE ticket = ?",
  withdraw: "UPDATE credit SET tokens = tokens - ? WHERE volunteer = ?",
  grant: `UPDATE credit SET tokens = tokens + ?, merged = merged + ?, discarded = discarded + ?,
    pending = pending - 1 WHERE volunteer = ?`,
  grantHour: `INSERT INTO hours (volunteer, hour, tokens) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens`,
  earn: `INSERT INTO credit (volunteer, tokens) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens`,
  recent: "SELECT SUM(tokens) AS tokens FROM hours WHERE volunteer = ? AND hour >= ?",
  closed: "INSERT OR REPLACE INTO versions (version, closed) VALUES (?, ?)",
  published: "UPDATE versions SET published = ? WHERE version = ?",
  step: "UPDATE meta SET applied = applied + 1",
  delta: "SELECT ticket, volunteer, delta, version, tokens, accepted FROM deltas WHERE ticket = ?",
  mine: `SELECT ticket, volunteer, delta, version, tokens, accepted, ended, merged, counted, audit FROM deltas
    WHERE volunteer = ? ORDER BY accepted DESC, ticket DESC LIMIT ?`,
  ended: "SELECT ended, merged FROM deltas WHERE ticket = ?",
  version: "SELECT closed, published FROM versions WHERE version = ?",
  credit: "SELECT tokens, merged, pending, discarded FROM credit WHERE volunteer = ?",
  meta: "SELECT run, applied FROM meta",
};
