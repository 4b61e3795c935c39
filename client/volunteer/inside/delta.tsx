import { formatPart } from "../../ui/format.ts";
import type { DeltaPicture } from "../../worker/messages.ts";
import { words } from "./strings.ts";

const WIDTH = 210;
const HEIGHT = 60;

/** The last delta in words, and how its numbers are spread. */
export function DeltaView({ delta }: { readonly delta: DeltaPicture | undefined }) {
  return (
    <section aria-labelledby="delta-title">
      <h3 id="delta-title">{words.delta}</h3>
      {delta === undefined ? <p class="wait">{words.deltaWait}</p> : <Picture delta={delta} />}
    </section>
  );
}

function Picture({ delta }: { readonly delta: DeltaPicture }) {
  const { bars, bytes, plainBytes, parameters, changed, ratio, steps, largest } = delta;
  const highest = Math.max(...bars, 1);
  const step = WIDTH / bars.length;
  return (
    <>
      <p>
        {words.deltaHelp(steps, parameters)}{" "}
        {words.deltaRatio(formatPart(ratio), formatPart(changed / parameters))}
      </p>
      <figure>
        <svg
          class="bars"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={words.deltaBars(largest.toPrecision(2))}
        >
          {bars.map((count, i) => {
            // The square root keeps the rare large changes in sight beside the many small ones.
            const height = Math.sqrt(count / highest) * HEIGHT;
            return <rect key={i} x={i * step + 1} width={step - 2} y={HEIGHT - height} height={height} />;
          })}
        </svg>
        <figcaption>{words.deltaBars(largest.toPrecision(2))}</figcaption>
      </figure>
      <p>{words.deltaBytes(bytes, plainBytes)}</p>
    </>
  );
}
