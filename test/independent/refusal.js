/** A refusal with one of the protocol's codes (rule P2): the server's, or our own of bytes that came from it. */
export class Refusal extends Error {
  constructor(code, message, retryAfterMs) {
    super(`${code}: ${message}`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
