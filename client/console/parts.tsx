import type { ComponentChildren } from "preact";
import type { RunStatus } from "../../protocol/status.ts";
import { common } from "../ui/strings.ts";
import { heldOutHelp } from "./strings.ts";

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly help: string;
  readonly children?: ComponentChildren;
}

/** One number of many, with its name and what it means. */
export function Figure({ name, value, help, children }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {children}
        <small>{help}</small>
      </dd>
    </div>
  );
}

/** A held-out loss's unit, and the newest one as it compares with runs of other vocabularies where that is known. */
export function lossHelp({ heldOut, bytesPerToken }: Pick<RunStatus, "heldOut" | "bytesPerToken">): string {
  const last = heldOut.at(-1);
  const bits = last === undefined ? "" : common.bitsPerByte(last.loss, bytesPerToken);
  return bits === "" ? heldOutHelp : `${heldOutHelp}; ${bits}`;
}

interface ChoiceProps {
  readonly label: string;
  readonly help: string;
  readonly isChosen: boolean;
  readonly choose: () => void;
}

/** One of several sources of text. */
export function Choice({ label, help, isChosen, choose }: ChoiceProps) {
  return (
    <label class="choice">
      <input type="radio" name="source" checked={isChosen} onChange={choose} />
      <span>
        {label}
        <small>{help}</small>
      </span>
    </label>
  );
}

export function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
