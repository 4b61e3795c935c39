import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { AuditRow } from "./audit-rows.ts";
import type { Job, Outcome } from "./job.ts";

/** What audits are to runs of several sizes, and the commit that they were measured at. */
interface AuditsLine {
  readonly commit: string;
  readonly audits: readonly AuditRow[];
}

/** An outcome, and the commit that it was measured at. */
export type Made = Outcome & { readonly commit?: string };

/** Outcomes, and the file they are kept in, if any: a line each, so that what was made is not made again. */
export class Results {
  readonly #file: string | undefined;
  readonly #outcomes = new Map<string, Outcome & { readonly commit: string }>();
  #audits: AuditsLine | undefined;

  private constructor(file: string | undefined) {
    this.#file = file;
  }

  static async open(file: string | undefined): Promise<Results> {
    const results = new Results(file);
    const text = file === undefined ? "" : await readFile(file, "utf8").catch(absent);
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const kept: AuditsLine | (Outcome & { commit: string }) = JSON.parse(line); // our own
      if ("audits" in kept) results.#audits = kept;
      else results.#outcomes.set(nameOf(kept.job), kept);
    }
    return results;
  }

  has(job: Job): boolean {
    return this.#outcomes.has(nameOf(job));
  }

  add(outcome: Outcome): void {
    const kept = { commit: head(), ...outcome };
    this.#outcomes.set(nameOf(outcome.job), kept);
    this.#keep(kept);
  }

  get audits(): readonly AuditRow[] | undefined {
    return this.#audits?.audits;
  }

  addAudits(audits: readonly AuditRow[]): void {
    this.#audits = { commit: head(), audits };
    this.#keep(this.#audits);
  }

  /** All that were made. */
  get all(): readonly Made[] {
    return [...this.#outcomes.values()];
  }

  /** The commits that all of it was measured at, the oldest first. */
  get commits(): readonly string[] {
    return [
      ...new Set(
        [...this.#outcomes.values(), ...(this.#audits ? [this.#audits] : [])].map(({ commit }) => commit),
      ),
    ];
  }

  #keep(line: object): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** Those of the jobs that were made, in their order. */
  of(jobs: readonly Job[]): Outcome[] {
    return jobs.flatMap((job) => this.#outcomes.get(nameOf(job)) ?? []);
  }
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}

/** The commit that is checked out, shortened, with a + where files have changed since. */
const head = (): string =>
  execFileSync("git", ["describe", "--always", "--exclude=*", "--abbrev=7", "--dirty=+"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();

const nameOf = ({
  rule,
  attack,
  fraction,
  sharding,
  seed,
  volunteers,
  tokens,
  rounds = "turns",
}: Job): string => [rule, attack ?? "none", fraction, sharding, seed, volunteers, tokens, rounds].join();
