import { as, asInteger, asObject, asText, type Json, parseJson } from "../../protocol/guards.ts";
import { isPeerId, type PeerId } from "../../protocol/ids.ts";

/**
 * The messages that may pass between two introduced browsers (rule K6): what it takes to open one data channel, read
 * field by field and written again, so that nothing else is passed on.
 */
export type Signal =
  | { readonly type: "HEARTBEAT" }
  | {
      readonly type: "OFFER" | "ANSWER" | "CANDIDATE" | "LEAVE";
      readonly dst: PeerId;
      readonly payload?: Json;
    };

/** Characters of a session description: Chromium's for one data channel has some 500, Firefox's 700. */
const MAX_SDP = 4_096;
/** Characters of a candidate line (RFC 8839 gives examples of 100). */
const MAX_CANDIDATE = 512;
const CONNECTION = /^[\w-]{1,40}$/;
/** SDP's lines (RFC 8866 §5): a letter, an equals sign, and text. */
const SDP = /^(?:[a-z]=[\x20-\x7e]*\r?\n)+$/;
const CANDIDATE = /^(?:candidate:[\x20-\x7e]*)?$/;

/** Reads what a browser sent. Throws `bad-json` or `bad-request`. */
export function parseSignal(bytes: Uint8Array): Signal {
  const { type, dst, payload } = parseJson(bytes);
  if (type === "HEARTBEAT") return { type };
  const to = as(isPeerId, dst, "dst");
  switch (type) {
    case "LEAVE":
      return { type, dst: to };
    case "OFFER":
    case "ANSWER":
      return { type, dst: to, payload: description(asObject(payload, "payload"), type.toLowerCase()) };
    case "CANDIDATE":
      return { type, dst: to, payload: candidate(asObject(payload, "payload")) };
    default:
      return as(isNothing, type, "type");
  }
}

function description(payload: Json, type: string): Json {
  const { type: said, sdp } = asObject(payload.sdp, "sdp");
  if (said !== type) as(isNothing, said, "sdp.type");
  const text = matching(SDP, asText(sdp, "sdp.sdp", MAX_SDP), "sdp.sdp");
  const media = text.match(/^m=.*$/gm) ?? [];
  // Data and nothing else: no camera, no microphone, no second stream.
  if (media.length !== 1 || !media[0]?.startsWith("m=application ")) as(isNothing, sdp, "sdp.sdp");
  return {
    sdp: { type, sdp: text },
    type: "data",
    connectionId: connectionOf(payload),
    // The caller's wishes for the channel; every browser of ours has the same, whatever is said.
    ...(type === "offer" && { label: "murmuration", reliable: true, serialization: "raw" }),
  };
}

function candidate(payload: Json): Json {
  const {
    candidate: line,
    sdpMid,
    sdpMLineIndex,
    usernameFragment,
  } = asObject(payload.candidate, "candidate");
  return {
    candidate: {
      candidate: matching(CANDIDATE, asText(line, "candidate", MAX_CANDIDATE), "candidate"),
      sdpMid: typeof sdpMid === "string" ? asText(sdpMid, "sdpMid", 16) : null,
      sdpMLineIndex:
        typeof sdpMLineIndex === "number" ? asInteger(sdpMLineIndex, "sdpMLineIndex", 0, 0) : null,
      ...(typeof usernameFragment === "string" && {
        usernameFragment: matching(
          /^[\w+/]*$/,
          asText(usernameFragment, "usernameFragment", 256),
          "usernameFragment",
        ),
      }),
    },
    type: "data",
    connectionId: connectionOf(payload),
  };
}

const connectionOf = ({ connectionId }: Json): string =>
  matching(CONNECTION, asText(connectionId, "connectionId", 40), "connectionId");

function matching(form: RegExp, text: string, field: string): string {
  if (!form.test(text)) as(isNothing, text, field);
  return text;
}

const isNothing = (_: unknown): _ is never => false;
