import { useSignal } from "@preact/signals";
import { Confirm } from "./confirm.tsx";
import { words } from "./strings.ts";

/** Takes this browser's key out of its links, once that is confirmed: to link it again takes two keys in one browser. */
export function Unlink({ unlink }: { readonly unlink: () => Promise<void> }) {
  const asking = useSignal(false);
  const close = () => {
    asking.value = false;
  };
  return (
    <>
      <div class="buttons">
        <button
          type="button"
          class="quiet"
          aria-expanded={asking.value}
          onClick={() => {
            asking.value = !asking.value;
          }}
        >
          {words.unlink}
        </button>
      </div>
      {asking.value && (
        <Confirm
          text={words.unlinkText}
          yes={words.unlinkYes}
          confirm={() => void unlink().then(close)}
          keep={close}
        />
      )}
    </>
  );
}
