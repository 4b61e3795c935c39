import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { serverOf } from "../../../protocol/address.ts";
import { createGenerator, spawnGenerator } from "../../writer/generator-client.ts";
import { words } from "../../writer/strings.ts";

export interface AskProps {
  /** Bytes that the model has. */
  readonly bytes: number;
  /** Bytes that were downloaded for it. */
  readonly fetched: Signal<number>;
  readonly close: () => void;
}

/** Tokens of one answer: what the box has room for. */
const LENGTH = 80;
const MAX_PROMPT = 200;
const SAMPLING = { temperature: 0.8, topK: 40, length: LENGTH } as const;

/** One for as long as the frame is there, so that the model is loaded once. No Worker is there before it is asked. */
const generator = createGenerator(spawnGenerator, serverOf(location.href));

/** Goes on from a visitor's words, in the visitor's own browser. Nothing is fetched before the first are sent off. */
export function Ask({ bytes, fetched, close }: AskProps) {
  const prompt = useSignal("");
  const seed = useSignal(0);
  /** Whether words wait for the model to be loaded. */
  const waits = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  useSignalEffect(() => {
    const { value: phase } = generator.phase;
    if (phase.phase === "loading" && phase.bytes > 0) fetched.value = phase.bytes;
    else if (phase.phase === "failed") waits.value = false;
    else if (phase.phase === "ready" && waits.value) {
      waits.value = false;
      write();
    }
  });

  const phase = generator.phase.value;
  const isBusy = phase.phase === "loading" || phase.phase === "writing";

  function write() {
    seed.value += 1; // another answer to the same words
    const { topK, ...rest } = SAMPLING;
    const choices = Math.min(topK, generator.vocabulary.peek());
    generator.write({ prompt: prompt.peek(), ...rest, topK: choices, seed: seed.peek() });
  }
  function submit() {
    if (isBusy) return;
    if (generator.version.value !== undefined) return write();
    waits.value = true;
    generator.load();
  }

  return (
    <main class="compact ask" aria-label={words.ask}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has only a keyboard scrolls what does not fit by it */}
      <section class="question" tabIndex={0} aria-label={words.output} aria-busy={isBusy}>
        {phase.phase === "failed" ? (
          <p class="warning" role="alert">
            {words.failed} <span class="detail">{phase.detail}</span>
          </p>
        ) : phase.phase === "loading" ? (
          <p role="status">{words.loading(phase.bytes, phase.total)}</p>
        ) : generator.text.value !== "" ? (
          <blockquote translate={false} dir="auto">
            <span class="given">{generator.prompt.value}</span>
            {generator.text.value}
          </blockquote>
        ) : (
          <p>{phase.phase === "writing" ? words.writing : words.askHelp(bytes)}</p>
        )}
      </section>
      <p class="visually-hidden" role="status">
        {phase.phase === "writing" ? words.writing : generator.text.value}
      </p>
      {/* No form: a frame that is sandboxed as ours submits none. */}
      <div class="asking">
        <input
          ref={input}
          dir="auto"
          maxLength={MAX_PROMPT}
          aria-label={words.prompt}
          placeholder={words.prompt}
          value={prompt.value}
          onInput={({ currentTarget }) => {
            prompt.value = currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.isComposing) submit();
          }}
        />
        {phase.phase === "writing" ? (
          <button type="button" class="primary" onClick={generator.stop}>
            {words.stop}
          </button>
        ) : (
          <button type="button" class="primary" disabled={isBusy} onClick={submit}>
            {phase.phase === "failed" ? words.retry : words.write}
          </button>
        )}
      </div>
      <div class="buttons">
        <button type="button" class="quiet" onClick={close}>
          {words.back}
        </button>
      </div>
    </main>
  );
}
