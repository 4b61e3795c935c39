import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Job, Outcome } from "./job.ts";

/** Outcomes, and the file they are kept in, if any: a line each, so that what was made is not made again. */
export class Results {
  readonly #file: string | undefined;
  readonly #outcomes = new Map<string, Outcome>();

  private constructor(file: string | undefined) {
    this.#file = file;
  }

  static async open(file: string | undefined): Promise<Results> {
    const results = new Results(file);
    const text = file === undefined ? "" : await readFile(file, "utf8").catch(absent);
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const outcome: Outcome = JSON.parse(line); // our own
      results.#outcomes.set(nameOf(outcome.job), outcome);
    }
    return results;
  }

  has(job: Job): boolean {
    return this.#outcomes.has(nameOf(job));
  }

  add(outcome: Outcome): void {
    this.#outcomes.set(nameOf(outcome.job), outcome);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(outcome)}\n`);
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

const nameOf = ({ rule, attack, fraction, sharding, seed, volunteers, tokens }: Job): string =>
  [rule, attack ?? "none", fraction, sharding, seed, volunteers, tokens].join();
