import type { ComponentChildren } from "preact";

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

export function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
