import { createPrivateKey, createPublicKey, sign as signBytes } from "node:crypto";
import { bytesOf, toHex } from "../../protocol/bytes.ts";
import { canonicalBytes, type Purpose } from "../../protocol/canonical.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { recordHash } from "../../protocol/history.ts";
import { type Signer, sha256, sign } from "../../protocol/identity.ts";
import type { Hash, ObjectName, RunId, ServerNonce, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { LinkTerms } from "../../protocol/link.ts";
import { signReceipt } from "../../protocol/receipt.ts";
import type { AuditTerms } from "../../protocol/shared-audit.ts";
import { signTicket, ticketTokens } from "../../protocol/ticket.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { sample } from "./frames.ts";
import { SHAPE, SHARD } from "./training.ts";

interface KeyPair {
  readonly seed: Uint8Array;
  readonly key: VolunteerKey;
  readonly signer: Signer;
}

/** An Ed25519 key pair whose seed is one byte, 32 times. Never use it for anything else. */
export function keyPair(byte: number): KeyPair {
  const seed = new Uint8Array(32).fill(byte);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410 §7
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return { seed, key: x as VolunteerKey, signer: (bytes) => signBytes(null, bytes, privateKey) };
}

const RUN = "0f".repeat(32) as RunId;
const TICKET = "AAECAwQFBgcICQoLDA0ODw" as TicketId;
const hashOf = (digit: string) => digit.repeat(64) as Hash;

async function ticketOf(server: KeyPair, volunteer: KeyPair) {
  const terms = {
    run: RUN,
    id: TICKET,
    volunteer: volunteer.key,
    version: 7,
    hash: hashOf("a"),
    shard: await sha256(bytesOf(SHARD)),
    window: 30,
    seed: 4_000_000_001,
    steps: 4,
    batch: 2,
    rates: [0.001, 1 / 300, 0.0025, 1e-7],
    fresh: true,
    lease: 120_000,
    issued: 1_234_567,
  };
  return { terms, ticket: await signTicket(server.signer, terms) };
}

export async function signedThings(server: KeyPair, volunteer: KeyPair) {
  const one = async (purpose: Purpose, by: KeyPair, value: unknown) => ({
    by: by === server ? "server" : "volunteer",
    value,
    bytes: toHex(canonicalBytes(purpose, value)),
    signature: await sign(by.signer, purpose, value),
  });
  const { terms, ticket } = await ticketOf(server, volunteer);
  const frame = encodeFrame(DENSE4, sample(70));
  const delta = await sha256(frame);
  const about = { run: RUN, ticket: TICKET, volunteer: volunteer.key, delta };
  const receiptTerms = {
    ...about,
    version: 7,
    tokens: ticketTokens(terms, SHAPE.context),
    accepted: 1_300_000,
  };
  const step = { outer: { kind: "muon", rate: 1.3, momentum: 0.3 }, downlink: DENSE4 };
  const merged = [
    {
      ticket: "_____________________w" as TicketId,
      volunteer: server.key,
      delta: hashOf("c"),
      weight: 0.125,
    },
    { ticket: TICKET, volunteer: volunteer.key, delta, weight: 22.627416997969522 },
  ];
  const links = { previous: hashOf("d"), model: hashOf("e"), diff: hashOf("f") };
  const recordTerms = { run: RUN, version: 8, ...links, step, merged };
  const record = { ...recordTerms, signature: await sign(server.signer, "version", recordTerms) };
  const list = {
    run: RUN,
    object: "diffs/7" as ObjectName,
    hash: hashOf("f"),
    length: 70_000,
    size: 65_536,
    chunks: [hashOf("1"), hashOf("2")],
  };
  const { volunteer: auditor, version, hash, shard, window, seed, steps, batch, rates } = terms;
  const auditTerms: AuditTerms = {
    ...{
      run: RUN,
      id: TICKET,
      volunteer: auditor,
      version,
      hash,
      shard,
      window,
      seed,
      steps,
      done: 3,
      batch,
    },
    ...{ rates, fresh: true, delta: DENSE4, frame: delta, bytes: frame.length, other: hashOf("b") },
    ...{ draw: 4_000_000_002, batches: 2, lease: 60_000, issued: 1_310_000 },
  };
  const linkTerms: LinkTerms = {
    ...{ run: RUN, server: server.key, origin: "https://train.example/r/whales" },
    ...{ serverNonce: "EBESExQVFhcYGRobHB0eHw" as ServerNonce, nonce: TICKET },
    ...{ volunteer: server.key, with: volunteer.key }, // any two keys will do
  };
  const report = { loss: 3.25, trainMs: 1_234, device: "plain JavaScript, ×1" };
  return {
    request: await one("request", volunteer, {
      method: "POST",
      path: "/api/tickets",
      body: await sha256(new TextEncoder().encode("{}")),
      nonce: TICKET,
      run: RUN,
      server: server.key,
      origin: "https://train.example",
      serverNonce: "EBESExQVFhcYGRobHB0eHw",
    }),
    ticket: await one("ticket", server, terms),
    receipt: {
      ...(await one("receipt", server, receiptTerms)),
      answer: await signReceipt(server.signer, receiptTerms),
    },
    version: {
      ...(await one("version", server, recordTerms)),
      hash: await recordHash(recordTerms),
      proof: { record, position: 1 },
    },
    chunks: await one("chunks", server, list),
    audit: await one("audit", server, auditTerms),
    link: await one("link", volunteer, linkTerms),
    upload: { ticket, report, frame: toHex(frame), body: toHex(encodeUpload(ticket, report, frame)) },
  };
}
