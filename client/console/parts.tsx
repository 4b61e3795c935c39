import type { ComponentChildren } from "preact";
import type { RunStatus } from "../../protocol/status.ts";
import { common } from "../ui/strings.ts";

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

/** The newest held-out loss as it compares with runs of other vocabularies; nothing where that is not known. */
export function BitsPerByte({ status }: { readonly status: Pick<RunStatus, "heldOut" | "bytesPerToken"> }) {
  const last = status.heldOut.at(-1);
  const bits = last === undefined ? "" : common.bitsPerByte(last.loss, status.bytesPerToken);
  return bits === "" ? null : <small>{bits}</small>;
}

export function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
