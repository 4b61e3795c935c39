import { ProtocolError } from "../../protocol/errors.ts";
import type { OperatorRun, OperatorRuns, RunsAction } from "../../protocol/lobby.ts";
import { MAX_RUNS } from "../../protocol/run-help.ts";
import { isRunName, runPath } from "../../protocol/run-name.ts";
import { addRunDirectory, badName, deleteRunDirectory } from "../data-dir/runs.ts";
import { Mutex } from "../lib/mutex.ts";
import type { AuditLog } from "../operator/audit-log.ts";
import { redeemLink } from "../operator/link.ts";
import type { RunsPort } from "../operator/ports.ts";
import type { Session } from "../operator/sessions.ts";
import type { ManyRuns, OpenRun } from "./many-runs.ts";

export interface RunsOperatorParts {
  /** The directory of all runs. */
  readonly directory: string;
  readonly runs: ManyRuns;
  readonly log: AuditLog;
  /** The wall clock, for links and the log. */
  readonly wallClock: () => number;
}

/** What the operator of all runs sees of them and does to them; one thing at a time. */
export class RunsOperator implements RunsPort {
  readonly #parts: RunsOperatorParts;
  readonly #acting = new Mutex();

  constructor(parts: RunsOperatorParts) {
    this.#parts = parts;
  }

  redeem(link: string): Promise<string | undefined> {
    return redeemLink(this.#parts.directory, link, this.#parts.wallClock());
  }

  list(): Omit<OperatorRuns, "operator"> {
    const { runs, log } = this.#parts;
    const failed = [...runs.failed].map(
      ([id, why]): OperatorRun => ({ id, path: runPath(id), state: "failed", why }),
    );
    const all = [...runs.open.map(lineOf), ...failed];
    return { runs: all.sort((a, b) => (a.id < b.id ? -1 : 1)), log: log.entries };
  }

  act(action: RunsAction, { name: who }: Session): Promise<void> {
    const { log, wallClock } = this.#parts;
    return this.#acting.run(async () => {
      await this.#do(action);
      const said = `${action.action} ${action.id}`;
      await log.add({ at: new Date(wallClock()).toISOString(), who, action: said });
    });
  }

  async #do(action: RunsAction): Promise<void> {
    const { id } = action;
    if (!isRunName(id)) throw new ProtocolError("bad-request", badName(id));
    switch (action.action) {
      case "create":
        return this.#create(id);
      case "open":
        return this.#open(id);
      case "archive":
        return this.#archive(id);
      case "delete":
        if (action.confirm !== id) throw new ProtocolError("bad-request", "confirm must be the run's name");
        return this.#delete(id);
    }
  }

  async #create(id: string): Promise<void> {
    const { directory, runs } = this.#parts;
    if (this.#names().length >= MAX_RUNS) {
      throw new ProtocolError("bad-request", `a server has ${MAX_RUNS} runs at most`);
    }
    const isNew = !this.#names().includes(id) && (await addRunDirectory(directory, id));
    if (!isNew) throw new ProtocolError("name-taken", `there is a run ${id} already`);
    await runs.openOne(id);
    this.#requireOpen(id);
  }

  async #open(id: string): Promise<void> {
    const { runs } = this.#parts;
    if (this.#find(id) !== undefined) return;
    if (!runs.failed.has(id)) throw noRun(id);
    await runs.openOne(id);
    this.#requireOpen(id);
  }

  async #archive(id: string): Promise<void> {
    const found = this.#requireOpen(id);
    if (found.run === undefined) {
      throw new ProtocolError("not-ready", `${id} is not made yet: there is nothing to keep`);
    }
    await found.run.admin.finish();
  }

  async #delete(id: string): Promise<void> {
    if (!this.#names().includes(id)) throw noRun(id);
    const { directory, runs } = this.#parts;
    await runs.closeOne(id);
    try {
      await deleteRunDirectory(directory, id);
    } catch (error) {
      await runs.openOne(id); // it is still there, so it is still served
      throw error;
    }
  }

  #requireOpen(id: string): OpenRun {
    const found = this.#find(id);
    if (found !== undefined) return found;
    const why = this.#parts.runs.failed.get(id);
    throw why === undefined ? noRun(id) : new ProtocolError("not-ready", `${id} cannot be opened: ${why}`);
  }

  #find(id: string): OpenRun | undefined {
    return this.#parts.runs.open.find(({ name }) => name === id);
  }

  #names(): readonly string[] {
    const { runs } = this.#parts;
    return [...runs.open.map(({ name }) => name), ...runs.failed.keys()];
  }
}

const noRun = (id: string) => new ProtocolError("not-found", `there is no run ${id}`);

function lineOf({ name: id, run }: OpenRun): OperatorRun {
  const path = runPath(id);
  if (run === undefined) return { id, path, state: "not-made" };
  const { name, state, version, volunteers, tokensMerged, tokenBudget } = run.status();
  return {
    id,
    path,
    state,
    name,
    version,
    volunteers,
    part: tokenBudget > 0 ? tokensMerged / tokenBudget : 0,
  };
}
