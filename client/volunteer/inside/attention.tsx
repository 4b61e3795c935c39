import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { colourOf } from "../../ui/canvas-style.ts";
import { formatProbability } from "../../ui/format.ts";
import { visible } from "../../ui/guess.tsx";
import type { Inside } from "../../worker/messages.ts";
import { words } from "./strings.ts";

export interface AttentionProps {
  readonly inside: Inside;
  /** The token that looks back, by its place. */
  readonly place: number;
  readonly choose: (place: number) => void;
}

/** The passage with the tokens that one head looks at shaded, and the head's whole table beside it. */
export function AttentionView({ inside, place, choose }: AttentionProps) {
  const layer = useSignal(0);
  const head = useSignal(0);
  const { tokens, version, layers, heads } = inside;
  const table = tableOf(inside, layer.value, head.value);
  const row = table.subarray(place * tokens.length, (place + 1) * tokens.length);
  const most = row.reduce((best, share, at) => (share > row[best]! ? at : best), 0);
  return (
    <section aria-labelledby="attention-title">
      <h3 id="attention-title">{words.attention}</h3>
      <p class="note">{words.attentionHelp}</p>
      <div class="choosers">
        <Chooser name={words.layer} count={layers} value={layer} />
        <Chooser name={words.head} count={heads} value={head} />
      </div>
      <div class="attention">
        <Shaded tokens={tokens} row={row} place={place} choose={choose} />
        <Table table={table} side={tokens.length} place={place} layer={layer.value} head={head.value} />
      </div>
      <p class="note">
        {words.lookNow(version)}{" "}
        {words.attends(
          visible(tokens[place] ?? ""),
          visible(tokens[most] ?? ""),
          formatProbability((row[most] ?? 0) / 255),
        )}
      </p>
    </section>
  );
}

/** One head's part of the attention, [T, T] in 255ths. */
export function tableOf({ attention, heads, tokens }: Inside, layer: number, head: number): Uint8Array {
  const size = tokens.length ** 2;
  return attention.subarray((layer * heads + head) * size, (layer * heads + head + 1) * size);
}

function Chooser(props: { readonly name: string; readonly count: number; readonly value: Signal<number> }) {
  const { name, count, value } = props;
  return (
    <label>
      {name}{" "}
      <select
        value={value.value}
        onChange={(event) => {
          value.value = Number(event.currentTarget.value);
        }}
      >
        {Array.from({ length: count }, (_, i) => (
          <option key={i} value={i}>
            {i + 1}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ShadedProps extends Pick<AttentionProps, "place" | "choose"> {
  readonly tokens: readonly string[];
  readonly row: Uint8Array;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** A list box of tokens, each as dark as it is looked at. */
function Shaded({ tokens, row, place, choose }: ShadedProps) {
  const id = useId();
  const last = tokens.length - 1;
  function move(event: KeyboardEvent) {
    const step = STEPS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : step && place + step;
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.min(Math.max(to, 0), last));
  }
  return (
    <div
      class="tokens shaded"
      dir="auto"
      role="listbox"
      tabIndex={0}
      aria-label={words.attentionLabel}
      aria-activedescendant={`${id}-${place}`}
      onKeyDown={move}
    >
      {tokens.map((token, at) => (
        // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the list box, which names its active option
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list box hears the keys
        <span
          key={at}
          id={`${id}-${at}`}
          role="option"
          class={at > place ? "token later" : "token"}
          aria-selected={at === place}
          aria-label={`${visible(token)}, ${formatProbability((row[at] ?? 0) / 255)}`}
          style={{ "--share": String(shade(row[at] ?? 0)) }}
          onClick={() => choose(at)}
          onPointerEnter={() => choose(at)}
        >
          {token}
        </span>
      ))}
    </div>
  );
}

/** The square root lets a share of a twentieth still be seen. */
const shade = (share: number): number => Math.round(Math.sqrt(share / 255) * 100) / 100;

interface TableProps {
  readonly table: Uint8Array;
  /** Tokens, T. */
  readonly side: number;
  readonly place: number;
  readonly layer: number;
  readonly head: number;
}

function Table({ table, side, place, layer, head }: TableProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (target === null || context === null || context === undefined) return;
    target.width = side;
    target.height = side;
    context.fillStyle = colourOf(target, "--accent");
    for (let row = 0; row < side; row++) {
      for (let at = 0; at <= row; at++) {
        context.globalAlpha = shade(table[row * side + at] ?? 0);
        context.fillRect(at, row, 1, 1);
      }
    }
    context.globalAlpha = 1;
    context.fillStyle = colourOf(target, "--bird-you");
    context.fillRect(side - 1, place, 1, 1);
  }, [table, side, place]);
  return (
    <canvas class="table" ref={canvas} role="img" aria-label={words.attentionMap(layer + 1, head + 1)} />
  );
}
