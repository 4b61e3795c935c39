import { type CodecSpec, parseCodec } from "./codec/codec.ts";
import { ProtocolError } from "./errors.ts";
import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";
import { type Hash, isHash, isRunId, isVolunteerKey, type RunId, type VolunteerKey } from "./ids.ts";
import { MAX_BATCH, MAX_LABEL, MAX_PARAMETERS } from "./limits.ts";
import { type ModelShape, parseModelShape } from "./model.ts";
import { isRunPath } from "./run-name.ts";
import { PROTOCOL_VERSION } from "./version.ts";

/** A run's description (rule M1): fixed at its start, except `version`, `hash` and `state`, which are of now. */
export interface Manifest {
  readonly protocol: typeof PROTOCOL_VERSION;
  readonly run: RunId;
  readonly name: string;
  /** The operator's name in the consent text. */
  readonly operator: string;
  readonly task: "language";
  readonly model: ModelShape;
  readonly parameters: number;
  /** The server's Ed25519 public key: it signs tickets and receipts. */
  readonly server: VolunteerKey;
  /** SHA-256 of tokenizer.json's bytes. */
  readonly tokenizer: Hash;
  /** The inner optimiser, the same for every volunteer; learning rates come with each ticket. */
  readonly optimizer: OptimizerSettings;
  /** The largest micro-batch of a ticket: what a device must have room for. */
  readonly batch: number;
  /** How deltas are written; another codec is refused. */
  readonly delta: CodecSpec;
  /** Deltas may come packed (rule C9); absent where nothing is gained by it. */
  readonly packed?: true;
  /** Part of its residual that a volunteer keeps from one delta to the next. */
  readonly residualDecay: number;
  /** How browsers that agree to it share with each other; absent where the run does without. */
  readonly peers?: { readonly ice: readonly IceServer[] };
  /** Volunteers that agree to it are given audits now and then (rule AU5); absent where they are not. */
  readonly audits?: true;
  /** An address where objects may be found as well, to be asked first (K10); absent where there is none. */
  readonly mirror?: string;
  /** The run's path on a server of several, which requests are signed with (S5); absent where it has an origin alone. */
  readonly path?: string;
  readonly state: RunState;
  readonly version: number;
  /** SHA-256 of the current version's safetensors bytes. */
  readonly hash: Hash;
}

export interface OptimizerSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of a step's gradient. */
  readonly clip: number;
  /** Muon for the hidden matrices (rule L4); absent, AdamW is for everything. */
  readonly inner?: "muon";
}

/** A STUN or TURN server, as RTCPeerConnection takes it. A TURN server's credential is known to every visitor. */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/** STUN and TURN servers of a run: more than a few only slow browsers down. */
export const MAX_ICE_SERVERS = 4;
export const MAX_ICE_CHARS = 256;
/** RFC 7064 and 7065. */
export const ICE_URL = /^(?:stun|stuns|turn|turns):[\w.[\]:-]+(?:\?transport=(?:udp|tcp))?$/;

/** `running` takes work; `paused` keeps everything and gives none; `finished` reached its token budget, or its operator ended it. */
export type RunState = "running" | "paused" | "finished";

export const isRunState = (value: unknown): value is RunState =>
  value === "running" || value === "paused" || value === "finished";

const isLanguage = (value: unknown): value is "language" => value === "language";

const isMuon = (value: unknown): value is "muon" => value === "muon";

export function parseOptimizer(value: unknown): OptimizerSettings {
  const json = asObject(value, "optimizer");
  return {
    beta1: asNumber(json.beta1, "optimizer.beta1", 0, 0.9999),
    beta2: asNumber(json.beta2, "optimizer.beta2", 0, 0.99999),
    epsilon: asNumber(json.epsilon, "optimizer.epsilon", 1e-12, 1),
    weightDecay: asNumber(json.weightDecay, "optimizer.weightDecay", 0, 10),
    clip: asNumber(json.clip, "optimizer.clip", 1e-6, 1e6),
    ...(json.inner !== undefined && { inner: as(isMuon, json.inner, "optimizer.inner") }),
  };
}

function parsePeers(value: unknown): NonNullable<Manifest["peers"]> {
  return {
    ice: asArray(asObject(value, "peers").ice, "peers.ice", MAX_ICE_SERVERS).map((one) => {
      const { urls, username, credential } = asObject(one, "peers.ice");
      const text = (field: unknown) => asText(field, "peers.ice", MAX_ICE_CHARS);
      return {
        urls: as(isIceUrl, urls, "peers.ice.urls"),
        ...(username !== undefined && { username: text(username) }),
        ...(credential !== undefined && { credential: text(credential) }),
      };
    }),
  };
}

const isIceUrl = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_ICE_CHARS && ICE_URL.test(value);

/** Characters of a mirror's address. */
const MAX_MIRROR_CHARS = 256;
/** An http(s) address without a user, a query or a slash at its end. */
export const isMirrorUrl = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length <= MAX_MIRROR_CHARS &&
  /^https?:\/\/[\w.[\]:-]+(?:\/[\w.~%-]+)*$/.test(value);

/** Reads a manifest from the server's JSON. Throws `protocol-mismatch` or `bad-request`. */
export function parseManifest(json: Json): Manifest {
  if (json.protocol !== PROTOCOL_VERSION) {
    throw new ProtocolError("protocol-mismatch", `the server speaks protocol ${String(json.protocol)}`);
  }
  return {
    protocol: PROTOCOL_VERSION,
    run: as(isRunId, json.run, "run"),
    name: asText(json.name, "name", MAX_LABEL),
    operator: asText(json.operator, "operator", MAX_LABEL),
    task: as(isLanguage, json.task, "task"),
    model: parseModelShape(json.model),
    parameters: asInteger(json.parameters, "parameters", 1, MAX_PARAMETERS),
    server: as(isVolunteerKey, json.server, "server"),
    tokenizer: as(isHash, json.tokenizer, "tokenizer"),
    optimizer: parseOptimizer(json.optimizer),
    batch: asInteger(json.batch, "batch", 1, MAX_BATCH),
    delta: parseCodec(json.delta, "delta"),
    ...(json.packed === true && { packed: true }),
    residualDecay: asNumber(json.residualDecay, "residualDecay", 0, 1),
    ...(json.peers !== undefined && { peers: parsePeers(json.peers) }),
    ...(json.audits !== undefined && asBoolean(json.audits, "audits") && { audits: true }),
    ...(json.mirror !== undefined && { mirror: as(isMirrorUrl, json.mirror, "mirror") }),
    ...(json.path !== undefined && { path: as(isRunPath, json.path, "path") }),
    state: as(isRunState, json.state, "state"),
    version: asInteger(json.version, "version", 0, Number.MAX_SAFE_INTEGER),
    hash: as(isHash, json.hash, "hash"),
  };
}
