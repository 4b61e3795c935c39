import { useSignal } from "@preact/signals";
import { serverOf } from "../../protocol/address.ts";
import type { RunSummary } from "../../protocol/lobby.ts";
import { keepAnywhere, movedTo } from "../ui/anywhere-consent.ts";
import { browserStorage } from "../ui/browser-storage.ts";
import { text } from "./strings.ts";

/** Asks once for all of the server's runs, and then leads to the one where the visitor helps most. */
export function Anywhere({
  open,
  most,
}: {
  readonly open: readonly RunSummary[];
  readonly most: RunSummary;
}) {
  const asking = useSignal(false);
  const failed = useSignal(false);
  const agree = () => {
    const runs = open.map(({ run }) => run);
    if (keepAnywhere(browserStorage(), { server: serverOf(location.href), runs })) {
      location.assign(movedTo(`.${most.path}`));
    } else failed.value = true;
  };
  if (!isSecureContext) return null;
  return (
    <section class="card anywhere" aria-labelledby="anywhere-title">
      <h2 id="anywhere-title">{text.anywhere}</h2>
      <p>{text.anywhereHelp}</p>
      {asking.value ? (
        <>
          <p>{text.anywhereRuns}</p>
          <ul>
            {open.map(({ id, name, operator, bytes }) => (
              <li key={id}>
                {operator === "" ? name : `${name}, ${text.by(operator)}`}{" "}
                <span class="note">{text.anywhereCost(bytes.first)}</span>
              </li>
            ))}
          </ul>
          <p>{text.anywhereWhat}</p>
          {failed.value && <p role="alert">{text.anywhereFailed}</p>}
          <p class="links">
            <button type="button" class="primary" onClick={agree}>
              {text.anywhereAgree}
            </button>
            <button
              type="button"
              onClick={() => {
                asking.value = false;
              }}
            >
              {text.anywhereNot}
            </button>
          </p>
        </>
      ) : (
        <p class="links">
          <button
            type="button"
            onClick={() => {
              asking.value = true;
            }}
          >
            {text.anywhereAsk}
          </button>
        </p>
      )}
    </section>
  );
}
