import { argv, exit } from "node:process";
import { pathToFileURL } from "node:url";
import { bytesToTokens, sha256 } from "./bytes.js";
import { proves, walkChain } from "./history.js";
import { Learner } from "./learner.js";
import { packFrame } from "./packed.js";
import { Refusal } from "./refusal.js";
import { Replica } from "./replica.js";
import { Server } from "./server.js";
import { keyPair, requireSigned } from "./signature.js";
import { uploadOf } from "./upload.js";

/**
 * A volunteer that was written from docs/PROTOCOL.md alone and imports nothing of the product:
 *
 *   node test/independent/volunteer.js URL [--rounds N]
 *
 * It trains in plain loops, so a run of the default size takes a second or two a step. Without --rounds it goes on
 * until an audit has looked at one of its fresh tickets.
 */
const USAGE = "usage: node test/independent/volunteer.js URL [--rounds N]";
/** Between two looks at what became of a delta, in milliseconds, and how often it looks before it gives up. */
const LOOK_MS = 500;
const LOOKS = 240;

export class Volunteer {
  #server;
  #log;
  #sleep;
  #steps;
  #manifest;
  #replica;
  #learner;
  #shards = new Map();
  #pace = {};
  #identity = keyPair();
  /** Receipts whose delta was not yet seen in a version, and fresh tickets whose audit was not yet heard of. */
  #unproven = [];
  #unaudited = new Set();
  /** What came of it all. */
  totals = { receipts: 0, refused: {}, tokens: 0, proven: 0, audits: {} };

  /** `steps` says how many of a ticket's steps are done: all of them, by who is honest. */
  constructor({ url, log, sleep, steps = (ticket) => ticket.steps }) {
    this.#server = new Server(url, sleep);
    this.#log = log;
    this.#sleep = sleep;
    this.#steps = steps;
  }

  get key() {
    return this.#identity.key;
  }

  /** How the replica was brought up to date. */
  get taken() {
    return this.#replica.taken;
  }

  async join() {
    this.#manifest = await this.#server.manifest();
    this.#replica = new Replica(this.#server, this.#manifest);
    this.#learner = new Learner(this.#manifest);
    const { name, parameters } = this.#manifest;
    this.#log(`volunteer ${this.key} joins "${name}", ${parameters} parameters`);
  }

  /** One ticket, trained and sent. */
  async round() {
    const ticket = await this.#ticket();
    const arrived = performance.now();
    const shard = await this.#shard(ticket.shard);
    const weights = await this.#replica.at(ticket.version, ticket.hash);
    const begun = performance.now();
    const most = this.#steps(ticket);
    const inTime = (done) => {
      const now = performance.now();
      return now + (now - begun) / done <= arrived + (ticket.trainFor ?? Number.POSITIVE_INFINITY);
    };
    const { frame, loss, steps } = this.#learner.train(ticket, weights, shard, most, inTime);
    const trainMs = performance.now() - begun;
    // Who does fewer than it might says that it did not.
    const told = Math.round((steps * ticket.steps) / most);
    const tokens = told * ticket.batch * this.#manifest.model.context;
    const report = {
      loss,
      trainMs: Math.round(trainMs),
      device: "plain JavaScript",
      ...(ticket.trainFor !== undefined && { steps: told }),
    };
    const { packed, parameters, delta } = this.#manifest;
    const sent = packed ? packFrame(ticket.delta ?? delta, frame, parameters) : frame;
    const body = uploadOf(ticket, report, sent);
    const code = await this.#send(ticket, body, frame, tokens, loss);
    this.#learner.settle(code, frame);
    const speed = (1_000 * tokens) / trainMs;
    this.#pace = { speed, uplink: (1_000 * body.length) / (performance.now() - begun - trainMs) };
    if (this.#unaudited.size > 0) await this.#look();
  }

  /** Waits until every receipt is proven, and walks the chain of records. Throws where no proof comes. */
  async settle() {
    for (let looks = 0; this.#unproven.length > 0; looks++) {
      if (looks === LOOKS) throw new Error("a delta with a receipt was neither merged nor discarded");
      await this.#look();
      await this.#sleep(LOOK_MS);
    }
    // Audits have a budget, so one that has not come may never come.
    for (const ticket of this.#unaudited) this.#log(`fresh ticket ${ticket}: not audited`);
    this.#log(`${await walkChain(this.#server, this.#manifest)} records, each naming the one before`);
  }

  async #ticket() {
    const { ticket } = await this.#askForTicket();
    requireSigned(this.#manifest.server, "ticket", ticket);
    const mine = ticket.run === this.#manifest.run && ticket.volunteer === this.key;
    if (!mine || ticket.rates.length !== ticket.steps) throw new Error("a ticket that is not ours");
    return ticket;
  }

  /** Throws the server's refusal; where that shuts us out, audits that tell why are heard of first. */
  async #askForTicket() {
    try {
      return await this.#server.postJson(this.#identity, "/api/tickets", this.#pace);
    } catch (error) {
      if (error.code === "quarantined" && this.#unaudited.size > 0) {
        this.#log(`shut out before an audit was heard of: ${error.message}`);
        await this.#look();
      }
      throw error;
    }
  }

  async #shard(hash) {
    const known = this.#shards.get(hash);
    if (known !== undefined) return known;
    const tokens = bytesToTokens(await this.#server.object(this.#manifest, `shards/${hash}`));
    this.#shards.set(hash, tokens);
    return tokens;
  }

  /** Sends an upload and checks its receipt. Returns the code of a refusal. */
  async #send(ticket, body, frame, tokens, loss) {
    const kind = ticket.fresh ? "fresh ticket" : "ticket";
    try {
      const { receipt } = await this.#server.post(this.#identity, "/api/deltas", body, ticket.id);
      requireSigned(this.#manifest.server, "receipt", receipt);
      const { run, volunteer } = ticket;
      const wanted = {
        run,
        ticket: ticket.id,
        volunteer,
        delta: sha256(frame),
        version: ticket.version,
        tokens,
      };
      for (const [field, value] of Object.entries(wanted)) {
        if (receipt[field] !== value) throw new Error(`the receipt has another ${field}`);
      }
      this.totals.receipts++;
      this.totals.tokens += receipt.tokens;
      this.#unproven.push(receipt);
      if (ticket.fresh) this.#unaudited.add(ticket.id);
      const text = `version ${ticket.version}, ${tokens} tokens, loss ${loss.toFixed(4)}`;
      this.#log(`${kind} ${ticket.id}: ${text}, receipt for ${tokens} tokens`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#log(`${kind} ${ticket.id}: refused, ${error.message}`);
      this.totals.refused[error.code] = (this.totals.refused[error.code] ?? 0) + 1;
      return error.code;
    }
  }

  /** Looks for proofs that the receipts' deltas are merged, and for audits of fresh tickets. */
  async #look() {
    const waiting = [];
    for (const receipt of this.#unproven) {
      const { proof } = await this.#server.json(`/api/proofs/${receipt.ticket}`);
      if (proof === null) waiting.push(receipt);
      else if (!proves(proof, receipt, this.#manifest)) throw new Error("a proof that proves nothing");
      else this.totals.proven++;
    }
    this.#unproven = waiting;
    const discarded = waiting.length + this.#unaudited.size > 0 ? await this.#hear() : new Set();
    this.#unproven = waiting.filter(({ ticket }) => !discarded.has(ticket));
  }

  /** What the server holds about us: audits of fresh tickets are heard, tickets of discarded deltas returned. */
  async #hear() {
    const { data } = await this.#server.postJson(this.#identity, "/api/me/data", {});
    for (const { ticket, audit } of data.deltas) {
      if (audit === undefined || !this.#unaudited.delete(ticket)) continue;
      this.#log(`fresh ticket ${ticket}: audited ${audit.verdict} (${audit.reason})`);
      this.totals.audits[audit.reason] = (this.totals.audits[audit.reason] ?? 0) + 1;
    }
    return new Set(data.deltas.filter(({ merged }) => merged === null).map(({ ticket }) => ticket));
  }
}

async function main([url, flag, number, ...more]) {
  const rounds = Number(number);
  if (!URL.canParse(url) || more.length > 0 || (flag && (flag !== "--rounds" || !(rounds > 0)))) {
    console.error(USAGE);
    return 2;
  }
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const volunteer = new Volunteer({ url, log: console.log, sleep });
  const { totals } = volunteer;
  try {
    await volunteer.join();
    const done = () => (flag ? totals.receipts >= rounds : Object.keys(totals.audits).length > 0);
    while (!done()) await volunteer.round();
    await volunteer.settle();
  } catch (error) {
    console.error(error instanceof Refusal ? error.message : error);
    return 1;
  }
  console.log(JSON.stringify({ ...totals, taken: volunteer.taken }));
  return 0;
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) exit(await main(argv.slice(2)));
