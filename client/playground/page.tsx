import { type Signal, useSignal } from "@preact/signals";
import { awayNotice } from "../ui/away-notice.ts";
import { Bar } from "../ui/bar.tsx";
import { formatProbability } from "../ui/format.ts";
import { visible } from "../ui/guess.tsx";
import { LanguageSwitch } from "../ui/language-switch.tsx";
import { SamplePair } from "../ui/samples.tsx";
import { common } from "../ui/strings.ts";
import type { RunWatch } from "../ui/watch.ts";
import type { GeneratorClient } from "../writer/generator-client.ts";
import { words as writer } from "../writer/strings.ts";
import { words } from "./strings.ts";

export interface PlaygroundProps {
  readonly watch: RunWatch;
  readonly generator: GeneratorClient;
}

/** Bytes of one f32 weight. */
const WEIGHT_BYTES = 4;
/** Tokens of one answer. */
const LENGTH = 160;
const MAX_CHOICES = 200;
const MAX_PROMPT = 1_000;

/** The model as it is now, to write with: nothing is fetched before the visitor asks for it. */
export function Playground({ watch, generator }: PlaygroundProps) {
  const status = watch.status.value;
  return (
    <>
      <header class="plain">
        <LanguageSwitch />
        <h1>{words.title}</h1>
        <p>{words.tagline}</p>
      </header>
      <main>
        {status === undefined ? (
          <p class="notice" role="status">
            {watch.connection.value === "loading"
              ? common.loading
              : watch.connection.value === "no-run"
                ? common.noRun
                : watch.connection.value === "mismatch"
                  ? common.mismatch
                  : awayNotice(watch.why.value, common.serverAway)}
          </p>
        ) : (
          <div class="columns">
            <section class="card" aria-label={words.title}>
              {generator.version.value === undefined ? (
                <Load generator={generator} bytes={status.parameters * WEIGHT_BYTES} />
              ) : (
                <Workspace generator={generator} newest={status.version} />
              )}
            </section>
            <section class="card" aria-labelledby="early-title">
              <h2 id="early-title">{words.early}</h2>
              <p class="note">{words.earlyHelp}</p>
              <SamplePair newest={status.sample} early={status.samples} />
            </section>
          </div>
        )}
      </main>
      <footer>
        <p>
          <a href="./">{words.back}</a>
        </p>
      </footer>
    </>
  );
}

function Load({ generator, bytes }: { readonly generator: GeneratorClient; readonly bytes: number }) {
  const phase = generator.phase.value;
  if (phase.phase === "loading") return <p role="status">{writer.loading(phase.bytes, phase.total)}</p>;
  return (
    <>
      {phase.phase === "failed" && <Failure detail={phase.detail} />}
      <button type="button" class="primary large" onClick={generator.load}>
        {phase.phase === "failed" ? writer.retry : words.load(bytes)}
      </button>
      <p class="note">{words.loadNote}</p>
    </>
  );
}

function Failure({ detail }: { readonly detail: string }) {
  return (
    <p class="warning" role="alert">
      {writer.failed} <span class="detail">{detail}</span>
    </p>
  );
}

function Workspace({ generator, newest }: { readonly generator: GeneratorClient; readonly newest: number }) {
  const prompt = useSignal("The whale");
  const temperature = useSignal(0.8);
  const topK = useSignal(40);
  const seed = useSignal(1);
  const phase = generator.phase.value;
  const version = generator.version.value ?? 0;
  const busy = phase.phase === "writing" || phase.phase === "loading";

  function write(nextSeed: number) {
    seed.value = nextSeed;
    generator.write({
      prompt: prompt.value,
      temperature: temperature.value,
      topK: Math.min(topK.value, generator.vocabulary.value),
      seed: nextSeed,
      length: LENGTH,
    });
  }

  return (
    <>
      <p class="summary">
        <span role="status">
          {phase.phase === "loading" ? writer.loading(phase.bytes, phase.total) : words.version(version)}
        </span>
        {newest > version && !busy && (
          <button type="button" class="quiet" onClick={generator.load}>
            {words.newer(newest)}
          </button>
        )}
      </p>
      <form
        class="workspace"
        onSubmit={(event) => {
          event.preventDefault();
          write(seed.value);
        }}
      >
        <label class="prompt">
          <span>{writer.prompt}</span>
          <textarea
            dir="auto"
            rows={3}
            maxLength={MAX_PROMPT}
            value={prompt.value}
            aria-describedby="prompt-help"
            onInput={(event) => {
              prompt.value = event.currentTarget.value;
            }}
          />
        </label>
        <p class="note" id="prompt-help">
          {words.promptHelp}
        </p>
        <Slider
          name={words.temperature}
          help={words.temperatureHelp(temperature.value)}
          value={temperature}
          range={[0, 2, 0.1]}
        />
        <Slider
          name={words.topK}
          help={words.topKHelp(topK.value)}
          value={topK}
          range={[1, Math.min(MAX_CHOICES, generator.vocabulary.value), 1]}
        />
        <div class="buttons">
          {phase.phase === "writing" ? (
            <button type="button" class="primary" onClick={generator.stop}>
              {writer.stop}
            </button>
          ) : (
            <>
              <button type="submit" class="primary" disabled={busy}>
                {writer.write}
              </button>
              <button
                type="button"
                disabled={busy || temperature.value === 0}
                onClick={() => write(seed.value + 1)}
              >
                {words.again}
              </button>
            </>
          )}
        </div>
      </form>
      {phase.phase === "failed" && <Failure detail={phase.detail} />}
      <Output generator={generator} />
    </>
  );
}

interface SliderProps {
  readonly name: string;
  readonly help: string;
  readonly value: Signal<number>;
  /** Least, most, step. */
  readonly range: readonly [number, number, number];
}

function Slider({ name, help, value, range: [min, max, step] }: SliderProps) {
  return (
    <label class="share">
      <span>{name}</span>
      <span class="value">{help}</span>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={Math.min(value.value, max)}
        aria-label={name}
        aria-valuetext={help}
        onInput={(event) => {
          value.value = event.currentTarget.valueAsNumber;
        }}
      />
    </label>
  );
}

/** A language model wrote it: text nodes, and called what it is. */
function Output({ generator }: { readonly generator: GeneratorClient }) {
  const { value: written } = generator.text;
  const writing = generator.phase.value.phase === "writing";
  const speed = generator.tokensPerSecond.value;
  return (
    <section aria-labelledby="output-title" aria-busy={writing}>
      <h2 id="output-title">{writer.output}</h2>
      {written === "" ? (
        <p class="wait">{writing ? writer.writing : words.outputWait}</p>
      ) : (
        <figure class="sample">
          <blockquote translate={false} dir="auto">
            <span class="given">{generator.prompt.value}</span>
            {written}
          </blockquote>
          {speed !== undefined && !writing && <figcaption>{words.speed(speed)}</figcaption>}
        </figure>
      )}
      {generator.next.value.length > 0 && !writing && (
        <div class="guess">
          <h3>{words.next}</h3>
          <ol>
            {generator.next.value.map(({ token, probability }) => (
              <Bar key={token} kind="other" part={probability} value={formatProbability(probability)}>
                {visible(token)}
              </Bar>
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}
