import type { Estimate, Founding, FoundingOrder, TextUpload } from "../../protocol/founding.ts";
import type { Json } from "../../protocol/guards.ts";
import type { OperatorAction, Overview } from "../../protocol/operator.ts";
import type { ExportedModel } from "../export/model.ts";
import type { Session } from "./sessions.ts";

/** Who can sign in. */
export interface SignInDesk {
  /** Uses a one-time link up: who it was issued to, or undefined. */
  redeem(link: string): Promise<string | undefined>;
}

/** What the operator's routes need of the server. Every method that refuses throws a ProtocolError. */
export interface OperatorDesk extends SignInDesk {
  overview(): Promise<Overview>;
  /** Does it, and notes who did. */
  act(action: OperatorAction, by: Session): Promise<void>;
  model(): ExportedModel;
}

/** What the routes need of a server that has no run yet. Every method that refuses throws a ProtocolError. */
export interface FoundingDesk extends SignInDesk {
  state(): Promise<Omit<Founding, "operator">>;
  /** Begins the upload of a text, or goes on with the same one. */
  begin(head: Json): Promise<TextUpload>;
  append(offset: number, bytes: Uint8Array): Promise<TextUpload>;
  finish(body: Json): Promise<TextUpload>;
  discard(): Promise<void>;
  estimate(order: FoundingOrder): Estimate;
  /** Begins to make the run, and notes who did. */
  found(order: FoundingOrder, by: Session): Promise<void>;
}
