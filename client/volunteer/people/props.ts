import type { RunWatch } from "../../ui/watch.ts";
import type { KeptRefusals } from "../session/refusals.ts";
import type { Session } from "../session/session.ts";

/** Inputs of the panel of names and data, and how it stops training for a visitor that is to be forgotten. */
export interface PeopleProps {
  readonly watch: RunWatch;
  readonly session: Session;
  readonly refusals: KeptRefusals;
  /** The code of another page, with which this one was opened. */
  readonly code?: string | undefined;
}
