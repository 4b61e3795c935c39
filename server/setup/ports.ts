import type { Estimate, Founding, FoundingOrder, TextUpload } from "../../protocol/founding.ts";
import type { Json } from "../../protocol/guards.ts";
import type { SignInPort } from "../operator/ports.ts";
import type { Session } from "../operator/sessions.ts";

/** What the routes need of a server that has no run yet. Every method that refuses throws a ProtocolError. */
export interface SetupPort extends SignInPort {
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
