import type { TextOrder, TextState } from "../../protocol/added-text.ts";
import type { Json } from "../../protocol/guards.ts";
import type { Estimate, SetupOrder, SetupState, TextUpload } from "../../protocol/setup.ts";
import type { SignInPort } from "../operator/ports.ts";
import type { Session } from "../operator/sessions.ts";

/** Takes a text from the page, as the routes need it. Every method that refuses throws a ProtocolError. */
export interface UploadPort {
  /** Begins the upload of a text, or goes on with the same one. */
  begin(head: Json): Promise<TextUpload>;
  append(offset: number, bytes: Uint8Array): Promise<TextUpload>;
  finish(body: Json): Promise<TextUpload>;
  discard(): Promise<void>;
}

/** A server without a run, as the routes need it. Every method that refuses throws a ProtocolError. */
export interface SetupPort extends SignInPort, UploadPort {
  state(): Promise<Omit<SetupState, "operator">>;
  estimate(order: SetupOrder): Promise<Estimate>;
  /** Begins to make the run, and notes who did. */
  createRun(order: SetupOrder, by: Session): Promise<void>;
}

/** More text for a run that is there, as the routes need it. Every method that refuses throws a ProtocolError. */
export interface TextPort extends UploadPort {
  state(): Promise<Omit<TextState, "operator">>;
  /** Begins to add a text, and notes who did. */
  add(order: TextOrder, by: Session): Promise<void>;
}
