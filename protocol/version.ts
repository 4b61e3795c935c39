/**
 * Number of the wire format. Server and client must have the same one (rule V1): a client that meets another reloads
 * itself once, and then says so.
 */
export const PROTOCOL_VERSION = 2;

/** Carries {@link PROTOCOL_VERSION} in both directions on every request and response. */
export const PROTOCOL_HEADER = "murmuration-protocol";
