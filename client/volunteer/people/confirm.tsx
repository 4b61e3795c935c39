import { useSignal } from "@preact/signals";
import { words } from "./strings.ts";

interface ConfirmProps {
  /** The button that asks. */
  readonly ask: string;
  readonly quiet?: boolean;
  /** What is going to happen. */
  readonly text: string;
  readonly yes: string;
  readonly confirm: () => Promise<void>;
}

/** A button that asks once more, before something that is not easily undone. */
export function Confirm({ ask, quiet = false, text, yes, confirm }: ConfirmProps) {
  const asking = useSignal(false);
  const close = () => {
    asking.value = false;
  };
  return (
    <>
      <div class="buttons">
        <button
          type="button"
          class={quiet ? "quiet" : undefined}
          aria-expanded={asking.value}
          onClick={() => {
            asking.value = !asking.value;
          }}
        >
          {ask}
        </button>
      </div>
      {asking.value && (
        <div class="warning">
          <p>{text}</p>
          <div class="buttons">
            <button type="button" class="primary" onClick={() => void confirm().then(close)}>
              {yes}
            </button>
            <button type="button" onClick={close}>
              {words.keep}
            </button>
          </div>
        </div>
      )}
    </>
  );
}
