import type { JobLine, JobWork } from "../../server/lib/jobs.ts";

interface Taker {
  readonly kind: string;
  readonly work: JobWork;
  readonly server: Server;
}

interface Server {
  dead: boolean;
  jobs: number;
}

/** One end of a line, of a server that can die: nothing comes from it any more, and nothing tells. */
export interface End extends JobLine {
  kill(): void;
  /** How many jobs it was sent. */
  readonly jobs: number;
}

/** A cluster's messages between a run's servers, in memory; they are delivered when a test says so. */
export class FakeJobs {
  maxBytes = 1_000_000;
  /** What a test has become of a message of a worker's. */
  alter: (said: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined = (said) => said;
  /** What a test has become of an answer at an address. */
  alterAnswer: (answer: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (answer) => answer;
  readonly #served = new Map<string, (question: Uint8Array<ArrayBuffer>) => Uint8Array | undefined>();
  #addresses = 0;
  readonly #waiting: (() => void)[] = [];
  #takers: readonly Taker[] = [];
  readonly #listeners = new Set<(message: Uint8Array<ArrayBuffer>) => void>();

  /** Delivers what waits. Returns how much that was. */
  flush(): number {
    const now = this.#waiting.splice(0);
    for (const deliver of now) deliver();
    return now.length;
  }

  /** Delivers what waits and what comes of it, until nothing does for some turns of the event loop. */
  async settle(turns = 20): Promise<void> {
    for (let quiet = 0; quiet < turns; quiet++) {
      if (this.flush() > 0) quiet = 0;
      await new Promise(setImmediate);
    }
  }

  end(): End {
    const server = { dead: false, jobs: 0 };
    const post = (deliver: () => void) => {
      if (!server.dead) this.#waiting.push(deliver);
    };
    const maxBytes = () => this.maxBytes;
    return {
      get maxBytes() {
        return maxBytes();
      },
      get jobs() {
        return server.jobs;
      },
      kill: () => {
        server.dead = true;
        this.#takers = this.#takers.filter((taker) => taker.server !== server);
      },
      ask: (kind, job, heard) => {
        let hears = true;
        const hear = (said: Parameters<typeof heard>[0]) => {
          if (hears) heard(said);
        };
        post(() => {
          const taker = this.#takers.find((one) => one.kind === kind);
          if (taker === undefined) return hear("nobody");
          this.#takers = this.#takers.filter((one) => one !== taker); // it is at work
          const say = (said: Uint8Array) => {
            if (taker.server.dead) return;
            this.#waiting.push(() => {
              const altered = this.alter(new Uint8Array(said));
              if (altered !== undefined) hear(altered);
            });
          };
          taker.server.jobs++;
          void taker.work(new Uint8Array(job), say).finally(() => {
            if (!taker.server.dead && !stopped.has(taker.work)) this.#takers = [...this.#takers, taker];
          });
        });
        return () => {
          hears = false;
        };
      },
      take: (kind, work) => {
        const taker = { kind, work, server };
        this.#takers = [...this.#takers, taker];
        return () => {
          stopped.add(work);
          this.#takers = this.#takers.filter((one) => one !== taker);
        };
      },
      serve: (handler) => {
        const address = `_INBOX.${++this.#addresses}`;
        this.#served.set(address, (question) => (server.dead ? undefined : handler(question)));
        return { address, stop: () => void this.#served.delete(address) };
      },
      request: (address, question) =>
        new Promise((resolve, reject) => {
          const copy = new Uint8Array(question);
          post(() => {
            const answer = this.#served.get(address)?.(copy);
            if (answer === undefined) return reject(new Error("no answer in time"));
            const altered = this.alterAnswer(new Uint8Array(answer));
            this.#waiting.push(() => resolve(altered));
          });
        }),
      tell: (message) => {
        const copy = new Uint8Array(message);
        post(() => {
          for (const heard of this.#listeners) heard(copy);
        });
      },
      listen: (heard) => {
        this.#listeners.add(heard);
        return () => this.#listeners.delete(heard);
      },
    };
  }
}

/** Work that is taken no more. */
const stopped = new WeakSet<JobWork>();
