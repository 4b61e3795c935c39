import type { RunWatch } from "../../ui/watch.ts";
import type { KeptRefusals } from "../session/refusals.ts";
import type { Session } from "../session/session.ts";

/** What the panel of names and data looks at, and what it ends for who is to be forgotten. */
export interface PeopleProps {
  readonly watch: RunWatch;
  readonly session: Session;
  readonly refusals: KeptRefusals;
}
