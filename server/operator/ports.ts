import type { OperatorRuns, RunsAction } from "../../protocol/lobby.ts";
import type { OperatorAction, Overview } from "../../protocol/operator.ts";
import type { ExportedModel } from "../export/model.ts";
import type { Session } from "./sessions.ts";

/** Checks a sign-in link. */
export interface SignInPort {
  /** Uses a one-time link up: who it was issued to, or undefined. */
  redeem(link: string): Promise<string | undefined>;
}

/** The server, as the operator's routes need it. Every method that refuses throws a ProtocolError. */
export interface OperatorPort extends SignInPort {
  /** `madeUp`: whether a client's address that the page made up was believed; undefined where no page asks. */
  overview(madeUp?: boolean): Promise<Overview>;
  /** Does it, and notes who did. */
  act(action: OperatorAction, by: Session): Promise<void>;
  model(): ExportedModel;
}

/** The runs of a server of several, as the routes of their operator need them. Every method that refuses throws a ProtocolError. */
export interface RunsPort extends SignInPort {
  list(): Omit<OperatorRuns, "operator">;
  /** Does it, and notes who did. */
  act(action: RunsAction, by: Session): Promise<void>;
}
