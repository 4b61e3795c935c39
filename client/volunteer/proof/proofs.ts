import { type ReadonlySignal, signal } from "@preact/signals";
import { type DeltaProof, type OwnDelta, verifyProof } from "../../../protocol/history.ts";
import type { Hash, VolunteerKey } from "../../../protocol/ids.ts";

/** That a delta of the visitor's is in a version, by the server's own signature, checked here. */
export interface Proven {
  readonly version: number;
  /** Its place among the merged, from 1, and how many they are. */
  readonly place: number;
  readonly of: number;
  /** Its part of the mean. */
  readonly share: number;
  readonly delta: Hash;
}

export interface ProofsOptions {
  /** Asks for the proof of a delta; undefined while it is in no version. */
  readonly ask: (own: OwnDelta) => Promise<DeltaProof | undefined>;
  /** The server's key, as the run's manifest named it before anything was sent. */
  readonly server: VolunteerKey;
}

/** A delta that was sent, with its ticket's version. */
export type SentDelta = OwnDelta & { readonly version: number };

export interface Proofs {
  readonly newest: ReadonlySignal<Proven | undefined>;
  /** How many were proven since the page was opened. */
  readonly times: ReadonlySignal<number>;
  /** Set once a proof did not hold: the server then is not what it claims to be. */
  readonly broken: ReadonlySignal<boolean>;
  sent(delta: SentDelta): void;
  /** A version is there: asks for the newest delta that may be in it. */
  published(version: number): Promise<void>;
}

/** Deltas that wait for their proof at most. */
const MAX_WAITING = 8;
/** Versions after which a delta that is in none was discarded. */
const PATIENCE = 6;

export function createProofs({ ask, server }: ProofsOptions): Proofs {
  const newest = signal<Proven | undefined>(undefined);
  const times = signal(0);
  const broken = signal(false);
  let waiting: readonly SentDelta[] = [];
  let asking = false;

  async function check(own: SentDelta): Promise<void> {
    const proof = await ask(own).catch(() => undefined); // asked again at the next version
    if (proof === undefined) return;
    waiting = waiting.filter(({ ticket }) => ticket !== own.ticket);
    if (!(await verifyProof(server, proof, own))) {
      broken.value = true;
      return;
    }
    const { version, merged } = proof.record;
    const sum = merged.reduce((total, { weight }) => total + weight, 0);
    const share = sum > 0 ? (merged[proof.position]?.weight ?? 0) / sum : 0;
    times.value++;
    newest.value = { version, place: proof.position + 1, of: merged.length, share, delta: own.delta };
  }

  return {
    newest,
    times,
    broken,
    sent(delta) {
      if (waiting.some(({ ticket }) => ticket === delta.ticket)) return;
      waiting = [...waiting, delta].slice(-MAX_WAITING);
    },
    async published(version) {
      if (asking) return;
      asking = true;
      waiting = waiting.filter((one) => version - one.version <= PATIENCE);
      // One a version: a proof is a few kilobytes, and the newest says the most.
      const own = waiting.findLast((one) => one.version < version);
      if (own !== undefined) await check(own);
      asking = false;
    },
  };
}
