import { words } from "./strings.ts";

interface ConfirmProps {
  /** What is going to happen. */
  readonly text: string;
  readonly yes: string;
  readonly confirm: () => void;
  readonly keep: () => void;
}

/** Asks once more, before something that is not easily undone. */
export function Confirm({ text, yes, confirm, keep }: ConfirmProps) {
  return (
    <div class="warning">
      <p>{text}</p>
      <div class="buttons">
        <button type="button" class="primary" onClick={confirm}>
          {yes}
        </button>
        <button type="button" onClick={keep}>
          {words.keep}
        </button>
      </div>
    </div>
  );
}
