import { TASKS, type WorkerTask } from "../workers/tasks.ts";
import { UsageError } from "./command.ts";

/** The tasks that `--tasks` names. Throws {@link UsageError}. */
export function tasksIn(list: string): readonly WorkerTask[] {
  const named = list.split(",").map((name) => name.trim());
  const unknown = named.find((name) => !TASKS.some((task) => task === name));
  if (unknown !== undefined)
    throw new UsageError(`--tasks takes ${TASKS.join(",")}, not ${JSON.stringify(unknown)}`);
  return TASKS.filter((task) => named.includes(task));
}
