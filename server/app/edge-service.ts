import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Run } from "../run/run.ts";
import type { RunService } from "../run/service.ts";

/** Milliseconds after which a sender may try again what only the server that leads can do. */
const RETRY_MS = 500;
/** Looks at the journal for the version of a delta's ticket: what is followed already may not bring it. */
const LOOKS = 2;

export interface EdgeServiceParts {
  /** Follows the journal to its end. */
  readonly catchUp: () => Promise<void>;
  /** Where volunteers find copies of what they download. */
  readonly mirror: string | undefined;
  /** Hears of each receipt. */
  readonly acknowledged: () => void;
}

/**
 * A followed run as the routes of an edge see it. What is not known (yet) is looked for on the cluster before the answer says
 * so.
 */
export function edgeService(run: Run, { catchUp, mirror, acknowledged }: EdgeServiceParts): RunService {
  const retry = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (error instanceof ProtocolError && error.code !== "not-found") throw error;
      await catchUp().catch(() => {});
      return read();
    }
  };
  const passedOn = (): never => {
    throw new ProtocolError("not-durable", "only the server that leads can do that", RETRY_MS);
  };
  return {
    ...run,
    // Browsers of an edge are not introduced to each other: that is done where their sockets are.
    manifest: (): Manifest => {
      const { peers: _, ...manifest } = run.manifest();
      return mirror === undefined ? manifest : { ...manifest, mirror };
    },
    // Names were read when this edge was opened: since then people may have taken theirs back. The leader knows.
    ...{ leaders: () => [], person: () => undefined, pageOf: () => undefined },
    snapshot: (hash: Hash) => retry(() => run.snapshot(hash)),
    diff: (version: number, hash?: Hash) => retry(() => run.diff(version, hash)),
    chunks: (object) => retry(() => run.chunks(object)),
    versionRecord: (version) => retry(() => run.versionRecord(version)),
    proof: (ticket) => retry(() => run.proof(ticket)),
    accept: async (volunteer, nonce, upload, from) => {
      // Its ticket may be of a version that this edge is about to hear of.
      for (let looks = 0; looks < LOOKS && upload.ticket.version > run.manifest().version; looks++)
        await catchUp().catch(() => {});
      const receipt = await run.accept(volunteer, nonce, upload, from);
      acknowledged();
      return receipt;
    },
    ...{ ticket: passedOn, audit: passedOn, auditedDelta: passedOn, answerAudit: passedOn },
    ...{
      rename: passedOn,
      link: passedOn,
      setPage: passedOn,
      joinTeam: passedOn,
      forget: passedOn,
    },
  };
}
