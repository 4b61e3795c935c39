import { PROTOCOL_HEADER } from "./version.ts";

/**
 * Something between a client and its server, where an answer did not come from the server, or none came: proxies,
 * firewalls, login pages of networks. A kind is named for what can be done about it.
 */
export type Intermediary = {
  readonly kind: IntermediaryKind;
  /** The HTTP status, where one was seen. */
  readonly status?: number;
};

export type IntermediaryKind =
  /** 413: a body larger than the proxy lets through. */
  | "too-large"
  /** 431 and 494: headers larger than the proxy takes. */
  | "headers-too-large"
  /** 401, 403, 407, 451: a policy, or a login. */
  | "forbidden"
  /** 404 and 405: the proxy sends this path elsewhere. */
  | "not-found"
  /** 429 */
  | "too-many"
  /** 502 to 504, and 520 to 530 of CDNs: the proxy has no answer from the server. */
  | "gateway"
  /** Another status. */
  | "status"
  /** A web page in place of an answer: a network that wants a login, or another site. */
  | "page"
  /** An answer that sends elsewhere. */
  | "redirect"
  /** A certificate that does not hold; browsers do not tell it from "unreachable". */
  | "certificate"
  /** The host's name is not known. */
  | "unknown-host"
  /** Nothing listens there. */
  | "refused"
  /** No answer at all, for any reason. */
  | "unreachable";

/** Reads the parts of a response that say whose it is. */
type Answer = Pick<Response, "status" | "ok" | "type" | "headers">;

/** The sender of an answer with these headers, or undefined where it may be the server: its body then decides. */
export function intermediaryOf({ status, ok, type, headers }: Answer): Intermediary | undefined {
  if (headers.has(PROTOCOL_HEADER)) return undefined;
  if (type === "opaqueredirect") return { kind: "redirect" };
  if (status >= 300 && status < 400 && status !== 304) return { kind: "redirect", status };
  if (ok && /^text\/html\b/i.test(headers.get("content-type") ?? "")) return { kind: "page", status };
  return undefined;
}

/** The intermediary that refuses with this status, where the words are not the server's. */
export function intermediaryWith(status: number): Intermediary {
  return { kind: kindOf(status), status };
}

function kindOf(status: number): IntermediaryKind {
  if (status === 413) return "too-large";
  if (status === 431 || status === 494) return "headers-too-large";
  if (status === 401 || status === 403 || status === 407 || status === 451) return "forbidden";
  if (status === 404 || status === 405) return "not-found";
  if (status === 429) return "too-many";
  if ((status >= 502 && status <= 504) || (status >= 520 && status <= 530)) return "gateway";
  return "status";
}

/** Why a request got no answer, as far as the runtime says: Node names it in the error's cause, browsers do not. */
export function intermediaryIn(error: unknown): Intermediary {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return { kind: "certificate" };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return { kind: "unknown-host" };
  if (code === "ECONNREFUSED") return { kind: "refused" };
  return { kind: "unreachable" };
}
