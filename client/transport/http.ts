import { utf8 } from "../../protocol/bytes.ts";
import { maxFrameBytes } from "../../protocol/frame.ts";
import { asInteger, asObject, type Json, parseJson } from "../../protocol/guards.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import {
  MAX_SHARD_TOKENS,
  MAX_SNAPSHOT_HEADER,
  MAX_TOKENIZER_BYTES,
  MAX_TURN_MS,
} from "../../protocol/limits.ts";
import { parseReceipt } from "../../protocol/receipt.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseAuditTicket } from "../../protocol/shared-audit.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import { parseTicket } from "../../protocol/ticket.ts";
import type { Api, Call } from "./api.ts";
import { WrongBytes } from "./away.ts";
import { events, type HttpOptions, MAX_JSON_ANSWER, parsed, request } from "./request.ts";
import { SignedPosts } from "./signed.ts";

/** Milliseconds of silence of a server that was asked for work: we wait for our turn, and then perhaps for a merge. */
const TURN_STALL_MS = MAX_TURN_MS + 10_000;

/** The {@link Api} over HTTP. */
export function httpApi(options: HttpOptions): Api {
  const get = (path: string, limit: number, call: Call = {}) => request(options, { path, limit }, call);
  const posts = new SignedPosts(options);

  return {
    manifest: (call) => posts.manifest(call),
    tokenizer: async ({ tokenizer }, call) =>
      addressed(tokenizer, await get(ROUTES.tokenizer, MAX_TOKENIZER_BYTES, call)),
    snapshot: async (hash, parameters, call) =>
      addressed(hash, await get(ROUTES.snapshot(hash), MAX_SNAPSHOT_HEADER + 4 * parameters, call)),
    diff: (version, parameters, call) => get(ROUTES.diff(version), maxFrameBytes(parameters), call),
    shard: async (hash, call) => addressed(hash, await get(ROUTES.shard(hash), 2 * MAX_SHARD_TOKENS, call)),
    ticket: async (identity, wish, call) => {
      const body = utf8(JSON.stringify(wish));
      const { audit, ticket } = await posts.post(
        identity,
        { path: ROUTES.tickets, body, stall: TURN_STALL_MS },
        call,
      );
      return parsed(() =>
        audit !== undefined && wish.audits
          ? parseAuditTicket(asObject(audit, "audit"))
          : parseTicket(asObject(ticket, "ticket")),
      );
    },
    auditedDelta: async ({ frame, bytes }, call) =>
      addressed(frame, await get(ROUTES.auditedDelta(frame), bytes, call)),
    answerAudit: async (identity, answer, call) => {
      await posts.post(identity, { path: ROUTES.audits, body: utf8(JSON.stringify(answer)) }, call);
    },
    upload: async (identity, ticket, body, call) => {
      const post = { path: ROUTES.deltas, body, nonce: ticket, type: "application/octet-stream" };
      const answer = await posts.post(identity, post, call);
      return parsed(() => parseReceipt(asObject(answer.receipt, "receipt")));
    },
    credit: async (volunteer, call) => {
      const answer = await get(ROUTES.credit(volunteer), MAX_JSON_ANSWER, call);
      return parseCredit(parsed(() => parseJson(answer)));
    },
    events: (call) => events(options, call),
  };
}

function parseCredit(json: Json): VolunteerCredit {
  const count = (field: string) => asInteger(json[field], field, 0, Number.MAX_SAFE_INTEGER);
  return parsed(() => ({
    tokens: count("tokens"),
    recent: count("recent"),
    merged: count("merged"),
    pending: count("pending"),
    refused: count("refused"),
  }));
}

/** Content-addressed bytes, checked against their address before anyone uses them. */
async function addressed(hash: Hash, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const found = await sha256(bytes);
  if (found !== hash) throw new WrongBytes(`asked for ${hash}, got ${found}`);
  return bytes;
}
