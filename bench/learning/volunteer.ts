import { memoryCache } from "../../client/cache/cache.ts";
import { LocalState, type PackedDelta } from "../../client/worker/local-state.ts";
import { Throughput } from "../../client/worker/throughput.ts";
import type { Inner } from "../../model/contract/config.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import type { Random } from "../../model/lib/random.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { packFrame } from "../../protocol/packed-frame.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { encodeUpload, stepsDone, type Upload } from "../../protocol/upload.ts";
import type { VirtualClock } from "./clock.ts";
import type { BenchCorpus } from "./corpus.ts";
import type { Machine, Scenario } from "./scenarios.ts";
import { type Service, ticketBytes } from "./service.ts";
import type { Traffic } from "./traffic.ts";

/** Who is late for a version that does not come arrives anyway. */
const MAX_LATE_MS = 60_000;

/** What all volunteers of a run share. */
export interface Place {
  readonly clock: VirtualClock;
  readonly service: Service;
  readonly corpus: BenchCorpus;
  /** One trainer of each kind serves all: each ticket loads its own weights and what its volunteer carries. */
  readonly trainers: Readonly<Record<Inner, Trainer>>;
  readonly scenario: Scenario;
  readonly random: Random;
  /** Milliseconds of one inner step of so many sequences with this inner optimiser. */
  readonly stepMs: (machine: Machine, batch: number, inner: Inner) => number;
  readonly traffic: Traffic;
  key(): VolunteerKey;
}

/** What a visitor that stays has: who it is, its replica's version, and what it carries from ticket to ticket. */
interface Self {
  readonly key: VolunteerKey;
  version: number | undefined;
  readonly localState: LocalState;
  /** What it measures of itself, and what follows from it. */
  readonly throughput: Throughput;
}

/** A delta on its way, and whose it is. */
interface Sending {
  readonly upload: Upload;
  readonly packed: PackedDelta;
  readonly localState: LocalState;
}

/**
 * One simulated volunteer, that overlaps where the product's does (client/worker/throughput.ts): while it trains a ticket
 * its last delta is on its way up, and it asks for the next one so early that diffs are there when it is done.
 * Otherwise it asks when its delta is answered. Training is for real, when its virtual time has come.
 */
export class Volunteer {
  readonly machine: Machine;
  readonly #place: Place;
  #self: Self;
  /** Counts its stays, so that what was meant for an earlier one comes to nothing. */
  #stay = 0;
  #since = 0;
  /** Has paused, and is not back. */
  #paused = false;
  #training = false;
  #sending = false;
  /** Has asked for work; will ask once the delta on its way is answered. */
  #asked = false;
  #asks = false;
  /** The next ticket, fetched. */
  #next: Ticket | undefined;
  /** When the next ticket came. */
  #arrived = 0;
  /** A delta that waits for the link. */
  #ready: Sending | undefined;

  constructor(place: Place) {
    this.#place = place;
    this.machine = place.scenario.machine(place.random);
    this.#self = this.#newcomer();
  }

  /** Comes in, and goes on until the run ends. */
  enter(): void {
    this.#since = this.#place.clock.now;
    this.#paused = false;
    this.#ask();
  }

  /** Counts the time present up to now. */
  settle(): void {
    this.#place.traffic.presentMs += this.#place.clock.now - this.#since;
    this.#since = this.#place.clock.now;
  }

  /** Lets something happen after `delay`, if the volunteer is still here then. */
  #after(delay: number, happen: () => void | Promise<void>): void {
    const stay = this.#stay;
    this.#place.clock.after(delay, () => (stay === this.#stay ? happen() : undefined));
  }

  #ask(): void {
    const { service } = this.#place;
    if (this.#paused || this.#asked || this.#next !== undefined) return;
    if (this.#sending) {
      this.#asks = true;
      return;
    }
    const { clock } = this.#place;
    const stay = this.#stay;
    const asked = clock.now;
    this.#asks = false;
    this.#asked = true;
    this.#after(this.machine.latency / 2, () =>
      service.ask(this.#self.key, this.#self.throughput.measured, (ticket) => {
        if (stay !== this.#stay) return;
        this.#self.throughput.waited(clock.now - asked);
        this.#fetch(ticket);
      }),
    );
  }

  #fetch(ticket: Ticket): void {
    const { service, traffic } = this.#place;
    const { throughput } = this.#self;
    const model = service.bytesBetween(this.#self.version, ticket.version);
    this.#arrived = this.#place.clock.now + this.machine.latency / 2;
    const own = ticketBytes(ticket);
    if (this.#self.version === undefined) traffic.joins += model;
    else traffic.down += model;
    this.#self.version = ticket.version;
    traffic.down += own;
    traffic.tickets += 1;
    const fetching = this.machine.latency / 2 + (8 * (model + own)) / this.machine.down;
    this.#after(fetching, () => {
      if (model > 0) throughput.received(model + own, fetching);
      throughput.prepared(fetching);
      this.#asked = false;
      this.#next = ticket;
      this.#begin();
    });
  }

  /** Starts the next ticket, once the last one is trained and its delta on its way. */
  #begin(): void {
    const ticket = this.#next;
    if (ticket === undefined || this.#training || this.#ready !== undefined) return;
    const { random, scenario } = this.#place;
    this.#next = undefined;
    this.#training = true;
    const steps = this.#stepsOf(ticket);
    const training = steps * this.#stepMs(ticket);
    if (random.unit() < scenario.leaves) {
      const part = random.unit();
      this.#after(part * training, () => this.#leave(ticket, Math.floor(part * steps), training));
      return;
    }
    const { throughput } = this.#self;
    const overlaps = ticket.trainFor === undefined && throughput.overlaps;
    if (overlaps) this.#after(Math.max(0, training - throughput.lead), () => this.#ask());
    this.#after(training, () => this.#train(ticket, steps, training));
  }

  /**
   * Leaves its ticket after so many steps, for one to three rounds; half of the time somebody new comes instead. Who comes back
   * may have paused only: then it sends what it has done.
   */
  async #leave(ticket: Ticket, done: number, round: number): Promise<void> {
    const { clock, random, scenario } = this.#place;
    const isReplaced = random.unit() < 0.5;
    clock.after((1 + 2 * random.unit()) * round, () => this.enter());
    if (scenario.pauses && !isReplaced) {
      this.#paused = true;
      if (done > 0) await this.#train(ticket, done, done * this.#stepMs(ticket));
      this.#training = false;
      this.settle();
      return;
    }
    this.settle();
    this.#stay += 1;
    this.#training = this.#sending = this.#asked = this.#asks = false;
    this.#next = this.#ready = undefined;
    if (isReplaced) this.#self = this.#newcomer();
  }

  async #train(ticket: Ticket, steps: number, took: number): Promise<void> {
    const { service, corpus, trainers, traffic } = this.#place;
    const { settings } = service;
    const trainer = trainers[this.#innerOf(ticket)];
    const { localState } = this.#self;
    await localState.begin(trainer, ticket, service.weights(ticket.version));
    let done = 0;
    for (const tokens of batchesOf(corpus.shard(ticket.shard), ticket, settings.model.context)) {
      if (done === steps) break;
      await trainer.step(tokens, ticket.batch, ticket.rates[done++]!);
    }
    const losses = await trainer.losses();
    const loss = losses.reduce((sum, one) => sum + one, 0) / losses.length;
    const packed = await localState.pack(trainer, ticket);
    await localState.park();
    traffic.trainedMs += took;
    const device = "wasm, 1 thread, SIMD + FMA";
    const told = ticket.trainFor !== undefined && { steps };
    const report = { loss, trainMs: Math.round(took), device, ...told };
    this.#training = false;
    this.#ready = { upload: { ticket, report, frame: packed.frame }, packed, localState };
    this.#self.throughput.trained(steps * ticket.batch * settings.model.context, took);
    this.#send();
    this.#begin();
  }

  #send(): void {
    if (this.#ready === undefined || this.#sending) return;
    const { clock, service, traffic, scenario, random } = this.#place;
    const going = this.#ready;
    const { upload } = going;
    const sent = packFrame(upload.frame, service.parameters, upload.ticket.delta ?? service.delta);
    const { length } = encodeUpload(upload.ticket, upload.report, sent);
    const stay = this.#stay;
    const begun = clock.now;
    this.#ready = undefined;
    this.#sending = true;
    traffic.up += length;
    traffic.sent += 1;
    const lost = random.unit() < scenario.lost;
    let arrived = false;
    const arrive = async () => {
      if (arrived) return;
      arrived = true;
      await this.#hand(going, lost);
      if (stay !== this.#stay) return;
      this.#after(this.machine.latency / 2, () => {
        this.#sending = false;
        this.#self.throughput.sent(length, clock.now - begun);
        this.#send();
        this.#begin();
        if (this.#asks || !this.#training) this.#ask();
      });
    };
    const sending = this.machine.latency / 2 + (8 * length) / this.machine.up;
    if (random.unit() >= scenario.late) clock.after(sending, arrive);
    else {
      const versions = 1 + random.below(3);
      clock.after(sending, () =>
        service.whenVersion(upload.ticket.version + versions, () => clock.after(0, arrive)),
      );
      clock.after(sending + MAX_LATE_MS, arrive);
    }
  }

  /** Hands a delta in, unless it is lost on the way, and carries on by the answer. */
  async #hand({ upload, packed, localState }: Sending, lost: boolean): Promise<void> {
    const { service, traffic } = this.#place;
    const answer = lost ? "unknown" : service.upload(upload);
    if (answer === "taken") traffic.steps += stepsDone(upload);
    await localState.settle(packed, answer);
  }

  #newcomer(): Self {
    const { key, service } = this.#place;
    const { delta, parameters, settings } = service;
    const localState = new LocalState({
      cache: memoryCache(),
      parameters,
      codec: delta,
      decay: settings.residualDecay,
    });
    return { key: key(), version: undefined, localState, throughput: new Throughput() };
  }

  /** Steps that there is time for. */
  #stepsOf(ticket: Ticket): number {
    if (ticket.trainFor === undefined) return ticket.steps;
    const left = this.#arrived + ticket.trainFor - this.#place.clock.now;
    return Math.max(1, Math.min(ticket.steps, Math.floor(left / this.#stepMs(ticket))));
  }

  #stepMs(ticket: Ticket): number {
    return this.#place.stepMs(this.machine, ticket.batch, this.#innerOf(ticket));
  }

  #innerOf({ inner }: Ticket): Inner {
    return inner ?? this.#place.service.settings.optimizer.inner ?? "adamw";
  }
}
