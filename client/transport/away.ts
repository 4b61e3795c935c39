import type { Intermediary } from "../../protocol/intermediary.ts";

/**
 * The server did not answer, or what answered was not our server (a proxy's error page, a cut connection, a
 * captive portal): `why` says which. Trying again later can help; nothing is known about what the server did.
 */
export class ServerAway extends Error {
  override readonly name = "ServerAway";
  readonly why: Intermediary;

  constructor(message: string, why: Intermediary = { kind: "unreachable" }) {
    super(message);
    this.why = why;
  }
}

/**
 * The server answered with bytes that are not the ones asked for: too many, or of another hash. They were
 * dropped before anything used them.
 */
export class WrongBytes extends Error {
  override readonly name = "WrongBytes";
}
