import { useState } from "preact/hooks";
import type { Estimate } from "../../../protocol/setup.ts";
import { formatBytes, formatCount, formatLarge } from "../../ui/format.ts";
import { Figure } from "../parts.tsx";
import { roughly, text } from "./strings.ts";

/** The server's estimate for a size, and how long it would take with machines that the operator knows. */
export function Cost({ estimate }: { readonly estimate: Estimate | string | undefined }) {
  if (estimate === undefined) return <p class="wait">{text.estimating}</p>;
  if (typeof estimate === "string") {
    return (
      <p class="notice" role="status">
        {text.wrong(estimate)}
      </p>
    );
  }
  const { parameters, snapshotBytes, deltaBytes, diffBytes, flopsPerToken, ticketTokens, diskBytes } =
    estimate;
  const { gpuBytes, wasmBytes, phones } = estimate;
  const [least, most] = ticketTokens;
  const bits = ((8 * deltaBytes) / parameters).toFixed(2);
  return (
    <>
      <dl class="figures">
        <Figure name={text.parameters} value={formatLarge(parameters)} help={formatCount(parameters)} />
        <Figure name={text.snapshot} value={formatBytes(snapshotBytes)} help={text.snapshotHelp} />
        <Figure
          name={text.delta}
          value={formatBytes(deltaBytes)}
          help={text.deltaHelp(bits, formatLarge(least), formatLarge(most))}
        />
        <Figure name={text.diff} value={formatBytes(diffBytes)} help={text.diffHelp} />
        <Figure name={text.flops} value={`${formatLarge(flopsPerToken)}FLOP`} help={text.flopsHelp} />
        <Figure name={text.disk} value={formatBytes(diskBytes)} help={text.diskHelp} />
        <Figure
          name={text.gpu}
          value={gpuBytes === null ? text.more : formatBytes(gpuBytes)}
          help={gpuBytes === null ? text.gpuMore : text.gpuHelp}
        />
        <Figure
          name={text.wasm}
          value={wasmBytes === null ? text.no : formatBytes(wasmBytes)}
          help={
            wasmBytes === null
              ? text.wasmNo
              : phones
                ? text.wasmPhones
                : text.wasmHelp(formatBytes(2 * wasmBytes))
          }
        />
      </dl>
      <Hours tokenBudget={estimate.tokenBudget} />
    </>
  );
}

function Hours({ tokenBudget }: Pick<Estimate, "tokenBudget">) {
  const [volunteers, setVolunteers] = useState(Number.NaN);
  const [speed, setSpeed] = useState(Number.NaN);
  const hours = tokenBudget / (volunteers * speed) / 3_600;
  const number = (name: string, value: number, set: (value: number) => void) => (
    <label>
      <span>{name}</span>
      <input
        type="number"
        min="1"
        value={Number.isNaN(value) ? "" : value}
        onInput={({ currentTarget }) => set(currentTarget.valueAsNumber)}
      />
    </label>
  );
  return (
    <div class="hours">
      <h3>{text.hoursTitle}</h3>
      <p class="note">
        {text.hoursHelp}{" "}
        <a href="./bench" target="_blank" rel="noreferrer">
          {text.hoursBench}
        </a>{" "}
        {text.hoursHelpEnd}
      </p>
      <div class="settings">
        {number(text.volunteers, volunteers, setVolunteers)}
        {number(text.speed, speed, setSpeed)}
      </div>
      <p role="status">
        {hours > 0 && Number.isFinite(hours)
          ? text.hours(roughly(hours), formatLarge(tokenBudget))
          : text.hoursAsk}
      </p>
    </div>
  );
}
