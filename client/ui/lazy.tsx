import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { fetchPart } from "./fetch-part.ts";
import { common } from "./strings.ts";

export interface LazyProps<Props> {
  /** Whether it is to be there by now; nothing is fetched before. */
  readonly wanted: boolean;
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}

/** A part of a page that is fetched when it is wanted; where that fails, its place says so and offers to try again. */
export function Lazy<Props extends object>({ wanted, load, props }: LazyProps<Props>) {
  const Part = useSignal<ComponentType<Props> | undefined>(undefined);
  const failed = useSignal(false);
  const fetch = () => {
    failed.value = false;
    fetchPart(load).then(
      (found) => {
        Part.value = found;
      },
      () => {
        failed.value = true;
      },
    );
  };
  useEffect(() => {
    if (wanted && Part.value === undefined) fetch();
  }, [wanted]);
  if (!wanted) return null;
  if (failed.value) return <MissingPart again={fetch} />;
  return Part.value === undefined ? null : <Part.value {...props} />;
}

/** Stands where a part of the page would. A reload is offered too: after an update the old page's parts are gone. */
export function MissingPart({ again }: { readonly again: () => void }) {
  return (
    <div class="missing" role="alert">
      <p>{common.partMissing}</p>
      <div class="buttons">
        <button type="button" onClick={again}>
          {common.retry}
        </button>
        <button type="button" class="quiet" onClick={() => location.reload()}>
          {common.reload}
        </button>
      </div>
    </div>
  );
}
