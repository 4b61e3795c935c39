import { sha256 } from "./bytes.js";
import { requireSigned, signedBytes, termsOf } from "./signature.js";

/** What versions were made of: rules G1 to G4 of docs/PROTOCOL.md. */

/** A record's hash: of the very bytes that are signed. */
export const recordHash = (record) => sha256(signedBytes("version", termsOf("version", record)));

/** Whether a proof shows that the delta of this receipt was merged. Throws where the record's signature does not fit. */
export function proves({ record, position }, receipt, manifest) {
  requireSigned(manifest.server, "version", record);
  const entry = record.merged[position];
  return (
    record.run === manifest.run &&
    entry?.ticket === receipt.ticket &&
    entry.volunteer === receipt.volunteer &&
    entry.delta === receipt.delta
  );
}

/** Walks the chain of records from version 1. Returns how many it has. Throws where one does not name the one before. */
export async function walkChain(server, manifest) {
  const { version: last } = await server.json("/api/manifest");
  let previous = manifest.run; // the genesis' hash
  for (let version = 1; version <= last; version++) {
    const { record } = await server.json(`/api/versions/${version}`);
    requireSigned(manifest.server, "version", record);
    if (record.run !== manifest.run || record.version !== version || record.previous !== previous) {
      throw new Error(`the record of version ${version} does not follow on the one before`);
    }
    previous = recordHash(record);
  }
  return last;
}
