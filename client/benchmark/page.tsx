import { useSignal } from "@preact/signals";
import { formatCount, plural } from "../ui/format.ts";
import type { Bench, Results, State } from "./bench.ts";
import { Card, Gemm, Json, Refused, RowCard } from "./results.tsx";
import { Send } from "./send.tsx";
import { CONTENDER, SIZES, text } from "./strings.ts";
import { verdict } from "./verdict.ts";
import { CONFIGS, type ConfigName, isConfig } from "./workload.ts";

/** Chooses a size, measures it, and shows what came of it as it comes. */
export function BenchPage({ bench, config }: { readonly bench: Bench; readonly config: ConfigName }) {
  const state = bench.state.value;
  return (
    <main>
      <header>
        <h1>{text.title}</h1>
        <nav>
          <a href="./">{text.back}</a>
        </nav>
        <p>{text.lead}</p>
      </header>
      <Controls
        bench={bench}
        config={config}
        running={state.phase === "running"}
        begun={state.phase !== "idle"}
      />
      <p class="progress" role="status">
        {progressLine(state)}
      </p>
      {state.phase !== "idle" && <ResultCards results={state.results} done={state.phase !== "running"} />}
      <p class="note">{text.how}</p>
    </main>
  );
}

interface ControlsProps {
  readonly bench: Bench;
  readonly config: ConfigName;
  readonly running: boolean;
  readonly begun: boolean;
}

function Controls({ bench, config, running, begun }: ControlsProps) {
  const chosen = useSignal(config);
  const { layers, width, context, vocabulary } = CONFIGS[chosen.value];
  return (
    <section class="card controls" aria-label={text.size}>
      <label>
        {text.size}
        <select
          disabled={running}
          value={chosen.value}
          onChange={({ currentTarget }) => {
            if (isConfig(currentTarget.value)) chosen.value = currentTarget.value;
          }}
        >
          {SIZES.map(({ config, label }) => (
            <option key={config} value={config}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p class="note">
        {text.shape(
          plural(layers, "layer"),
          formatCount(width),
          formatCount(context),
          formatCount(vocabulary),
        )}
      </p>
      {running ? (
        <button type="button" onClick={() => bench.stop()}>
          {text.stop}
        </button>
      ) : (
        <button type="button" class="primary" onClick={() => bench.start(chosen.value)}>
          {begun ? text.again : text.start}
        </button>
      )}
    </section>
  );
}

function progressLine(state: State): string {
  switch (state.phase) {
    case "idle":
      return "";
    case "running": {
      const { contender, step } = state;
      if (contender === undefined) return text.running;
      if (contender === "gemm") return text.gemmRunning;
      return step === 0 ? text.starting(CONTENDER[contender]) : text.step(CONTENDER[contender], step);
    }
    case "failed":
      return text.failed(state.why);
    case "stopped":
      return text.stopped;
    case "done":
      return text.done;
  }
}

function ResultCards({ results, done }: { readonly results: Results; readonly done: boolean }) {
  const { gemm, rows, refused } = results;
  const lines = done ? verdict(results) : [];
  return (
    <>
      {lines.length > 0 && (
        <Card title={text.verdict}>
          <ul class="verdict">
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Card>
      )}
      {rows.map((row) => (
        <RowCard key={row.contender} row={row} />
      ))}
      {gemm !== undefined && <Gemm gemm={gemm} />}
      {refused.map((one) => (
        <Refused key={one.contender} {...one} />
      ))}
      {done && rows.length > 0 && <Send results={results} />}
      {done && rows.length > 0 && <Json results={results} />}
    </>
  );
}
