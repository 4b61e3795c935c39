import { parseCodec } from "./codec/codec.ts";
import { ProtocolError } from "./errors.ts";
import type { Json } from "./guards.ts";
import { isHash, isRunId, isVolunteerKey } from "./ids.ts";
import { MAX_BATCH, MAX_LABEL, MAX_PARAMETERS } from "./limits.ts";
import { modelShape } from "./model.ts";
import { isRunPath } from "./run-name.ts";
import {
  count,
  id,
  integer,
  list,
  message,
  number,
  object,
  oneOf,
  onlyTrue,
  optional,
  text,
} from "./schema.ts";
import { PROTOCOL_VERSION } from "./version.ts";

/** STUN and TURN servers of a run: more than a few only slow browsers down. */
export const MAX_ICE_SERVERS = 4;
export const MAX_ICE_CHARS = 256;
/** RFC 7064 and 7065. */
export const ICE_URL = /^(?:stun|stuns|turn|turns):[\w.[\]:-]+(?:\?transport=(?:udp|tcp))?$/;

/** `running` takes work; `paused` keeps everything and gives none; `finished` reached its token budget, or its operator ended it. */
export type RunState = "running" | "paused" | "finished";

export const isRunState = (value: unknown): value is RunState =>
  value === "running" || value === "paused" || value === "finished";
export const runState = id(isRunState);

export const optimizer = object({
  beta1: number(0, 0.9999),
  beta2: number(0, 0.99999),
  epsilon: number(1e-12, 1),
  weightDecay: number(0, 10),
  /** Largest norm of a step's gradient. */
  clip: number(1e-6, 1e6),
  /** Muon for the hidden matrices (rule L4); absent, AdamW is for everything. */
  inner: optional(oneOf("muon")),
});
export type OptimizerSettings = ReturnType<typeof optimizer>;

const isIceUrl = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_ICE_CHARS && ICE_URL.test(value);

const iceServer = object({
  urls: id(isIceUrl),
  username: optional(text(MAX_ICE_CHARS)),
  credential: optional(text(MAX_ICE_CHARS)),
});
/** A STUN or TURN server, as RTCPeerConnection takes it. A TURN server's credential is known to every visitor. */
export type IceServer = ReturnType<typeof iceServer>;

/** Characters of a mirror's address. */
const MAX_MIRROR_CHARS = 256;
/** An http(s) address without a user, a query or a slash at its end. */
export const isMirrorUrl = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length <= MAX_MIRROR_CHARS &&
  /^https?:\/\/[\w.[\]:-]+(?:\/[\w.~%-]+)*$/.test(value);

const manifest = message({
  protocol: () => PROTOCOL_VERSION,
  run: id(isRunId),
  name: text(MAX_LABEL),
  /** The operator's name in the consent text. */
  operator: text(MAX_LABEL),
  task: oneOf("language"),
  model: modelShape,
  parameters: integer(1, MAX_PARAMETERS),
  /** The server's Ed25519 public key: it signs tickets and receipts. */
  server: id(isVolunteerKey),
  /** SHA-256 of tokenizer.json's bytes. */
  tokenizer: id(isHash),
  /** The inner optimiser, the same for every volunteer; learning rates come with each ticket. */
  optimizer,
  /** The largest micro-batch of a ticket: what a device must have room for. */
  batch: integer(1, MAX_BATCH),
  /** How deltas are written; another codec is refused. */
  delta: parseCodec,
  /** Deltas may come packed (rule C9); absent where nothing is gained by it. */
  packed: (value) => (value === true ? value : undefined),
  /** Part of its residual that a volunteer keeps from one delta to the next. */
  residualDecay: number(0, 1),
  /** How browsers that agree to it share with each other; absent where the run does without. */
  peers: optional(object({ ice: list(iceServer, MAX_ICE_SERVERS) })),
  /** Volunteers that agree to it are given audits now and then (rule AU5); absent where they are not. */
  audits: onlyTrue,
  /** An address where objects may be found as well, to be asked first (K10); absent where there is none. */
  mirror: optional(id(isMirrorUrl)),
  /** The run's path on a server of several, which requests are signed with (S5); absent where it has an origin alone. */
  path: optional(id(isRunPath)),
  state: runState,
  version: count,
  /** SHA-256 of the current version's safetensors bytes. */
  hash: id(isHash),
});
/** A run's description (rule M1): fixed at its start, except `version`, `hash` and `state`, which are of now. */
export type Manifest = ReturnType<typeof manifest>;

/** Reads a manifest from the server's JSON. Throws `protocol-mismatch` or `bad-request`. */
export function parseManifest(json: Json): Manifest {
  requireProtocol(json);
  return manifest(json);
}

/** Throws `protocol-mismatch` for what a server of another protocol says. */
export function requireProtocol({ protocol }: Json): void {
  if (protocol !== PROTOCOL_VERSION) {
    throw new ProtocolError("protocol-mismatch", `the server speaks protocol ${String(protocol)}`);
  }
}
