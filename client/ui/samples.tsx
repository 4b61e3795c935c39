import { useSignal } from "@preact/signals";
import type { Sample } from "../../protocol/status.ts";
import { formatCount } from "./format.ts";
import { common } from "./strings.ts";

export interface SamplePairProps {
  readonly newest: Sample | null;
  /** Oldest first. */
  readonly early: readonly Sample[];
}

/** The newest sample beside an early one of the visitor's choice. A language model wrote them: text nodes. */
export function SamplePair({ newest, early }: SamplePairProps) {
  const picked = useSignal(0);
  const older = early.filter(({ version }) => version < (newest?.version ?? 0));
  const shown = older[Math.min(picked.value, older.length - 1)];
  if (newest === null) return <p class="wait">{common.sampleWait}</p>;
  return (
    <>
      {older.length > 1 && (
        <label class="pick">
          {common.samplePick}{" "}
          <select
            value={picked.value}
            onChange={(event) => {
              picked.value = Number(event.currentTarget.value);
            }}
          >
            {older.map(({ version }, i) => (
              <option key={version} value={i}>
                {formatCount(version)}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class={shown === undefined ? "samples" : "samples pair"}>
        {shown !== undefined && <Written sample={shown} title={common.sampleEarly} />}
        <Written sample={newest} title={common.sampleNow} />
      </div>
    </>
  );
}

function Written({ sample, title }: { readonly sample: Sample; readonly title: string }) {
  return (
    <figure class="sample">
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls on the volunteer page, and keys must reach it. */}
      <blockquote translate={false} dir="auto" tabIndex={0}>
        {sample.text.trim()}
      </blockquote>
      <figcaption>{common.sampleOf(sample.version)}</figcaption>
    </figure>
  );
}
