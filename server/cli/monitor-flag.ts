import { messageOf } from "../../model/lib/message-of.ts";
import { monitorsIn } from "../store/cluster-monitors.ts";
import { UsageError } from "./command.ts";

/** The monitoring ports that --monitor names. Throws {@link UsageError}. */
export function monitorsOf(text: string | undefined): string[] | undefined {
  try {
    return text === undefined ? undefined : monitorsIn(text);
  } catch (error) {
    throw new UsageError(`--monitor: ${messageOf(error)}`);
  }
}
