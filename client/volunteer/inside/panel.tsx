import { useComputed, useSignal } from "@preact/signals";
import { MissingPart } from "../../ui/lazy.tsx";
import type { TrainerHandle } from "../session/worker-client.ts";
import { AttentionView } from "./attention.tsx";
import { DeltaView } from "./delta.tsx";
import { words } from "./strings.ts";
import { TokenMapView } from "./token-map.tsx";

/** The opened look inside: attention, the map of tokens, the last delta. A chunk of its own, loaded when it is opened. */
export function InsidePanel({ trainer }: { readonly trainer: TrainerHandle }) {
  const inside = trainer.inside.value;
  const chosen = useSignal(10);
  // A later passage may be shorter.
  const place = useComputed(() => Math.min(chosen.value, (trainer.inside.value?.tokens.length ?? 1) - 1));
  return (
    <>
      {trainer.missing.value.has("inside") ? (
        <MissingPart again={trainer.look} />
      ) : inside === undefined ? (
        <p class="wait">{words.lookWait}</p>
      ) : (
        <>
          <AttentionView
            inside={inside}
            place={place.value}
            choose={(next) => {
              chosen.value = next;
            }}
          />
          <TokenMapView inside={inside} place={place.value} />
        </>
      )}
      <DeltaView delta={trainer.delta.value} />
    </>
  );
}
