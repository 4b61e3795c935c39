import { useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { here } from "../../../protocol/address.ts";
import { asObject, parseJson } from "../../../protocol/guards.ts";
import { type DeltaProof, parseProof } from "../../../protocol/history.ts";
import type { TicketId } from "../../../protocol/ids.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { timelyFetch } from "../../transport/timely-fetch.ts";
import { createProofs } from "./proofs.ts";
import type { ProofLineProps } from "./props.ts";
import { words } from "./strings.ts";

/** The proof of the visitor's newest merged delta, in a sentence, once there is one. */
export function ProofLine({ trainer, watch }: ProofLineProps) {
  const manifest = trainer.manifest.value;
  const server = manifest?.server;
  const proofs = useMemo(
    () =>
      server === undefined ? undefined : createProofs({ server, ask: ({ ticket }) => askProof(ticket) }),
    [server],
  );

  useSignalEffect(() => {
    const last = trainer.sent.value?.last;
    const [me, run] = [trainer.volunteer.value, trainer.manifest.value?.run];
    const version = watch.status.value?.version;
    if (last === undefined || me === undefined || run === undefined || version === undefined) return;
    const { ticket, delta } = last;
    proofs?.sent({ ticket, delta, version: last.version, volunteer: me, run });
    void proofs?.published(version);
  });

  if (proofs === undefined) return null;
  if (proofs.broken.value) {
    return (
      <p class="warning" role="alert">
        {words.broken}
      </p>
    );
  }
  const proven = proofs.newest.value;
  if (proven === undefined) return <p class="proof note">{words.waiting}</p>;
  return (
    <details class="proof">
      <summary>
        <span aria-hidden="true">✓ </span>
        {words.proven(proven.version)}
      </summary>
      <p class="note">{words.meaning(proven)}</p>
      <p class="note">
        {words.delta} <code>{proven.delta}</code>
      </p>
      <p class="note">
        <a href={here(ROUTES.version(proven.version))}>{words.record(proven.version)}</a>
      </p>
    </details>
  );
}

async function askProof(ticket: TicketId): Promise<DeltaProof | undefined> {
  const response = await timelyFetch()(here(ROUTES.proof(ticket)), { cache: "no-store" });
  if (!response.ok) return undefined;
  const json = parseJson(new Uint8Array(await response.arrayBuffer()));
  return json.proof === null ? undefined : parseProof(asObject(json.proof, "proof"));
}
