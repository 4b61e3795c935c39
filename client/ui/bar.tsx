import type { ComponentChildren } from "preact";

export interface BarProps {
  /** The label at its beginning. */
  readonly children: ComponentChildren;
  readonly kind: "right" | "other" | "truth";
  /** How much of the track it takes, from 0 to 1; a little is always seen. */
  readonly part: number;
  /** The label at its end. */
  readonly value: string;
}

/** One of several things that are compared, in a list of class `guess`. */
export function Bar({ children, kind, part, value }: BarProps) {
  return (
    <li class={`bar ${kind}`}>
      <span class="piece">{children}</span>
      <span class="track" aria-hidden="true">
        <span style={{ width: `${Math.min(100, Math.max(1, part * 100))}%` }} />
      </span>
      <span class="chance">{value}</span>
    </li>
  );
}
