import { layoutOf } from "../../model/contract/layout.ts";
import { loadTokenizer, type Tokenizer } from "../../model/data/tokenizer.ts";
import { CachedDecoder } from "../../model/decode/cached-decoder.ts";
import { topGuesses } from "../../model/decode/generate.ts";
import { generateCached } from "../../model/decode/generate-cached.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { browserCache } from "../cache/browser.ts";
import { lastingCache } from "../cache/lasting.ts";
import { httpApi } from "../transport/http.ts";
import { mirroredApi } from "../transport/mirror.ts";
import { modelFile } from "../worker/model-file.ts";
import { Replica } from "../worker/replica.ts";
import { monotonic, sleep } from "../worker/time.ts";
import type { WriteRequest, WriterCommand, WriterReport } from "./messages.ts";

/**
 * Writes with the run's current weights, in this browser. The copy of the weights is the one that training
 * keeps, so that a visitor who trains here downloads only what has changed since.
 */
interface Loaded {
  readonly decoder: CachedDecoder;
  readonly tokenizer: Tokenizer;
  readonly context: number;
}

/** Milliseconds between two pictures of the text so far. */
const SHOW_EVERY_MS = 60;
const SHOWN_CANDIDATES = 5;

const say = (report: WriterReport): void => self.postMessage(report);

let loaded: Loaded | undefined;
let writing = new AbortController();

self.addEventListener("message", ({ data: command }: MessageEvent<WriterCommand>) => {
  writing.abort(new Ended());
  if (command.type === "stop") return;
  writing = new AbortController();
  const { signal } = writing;
  const work = command.type === "load" ? load(command.server, signal) : write(command.request, signal);
  work.catch((error: unknown) => {
    if (!(error instanceof Ended)) say({ type: "failed", detail: messageOf(error) });
  });
});

async function load(server: string, signal: AbortSignal): Promise<void> {
  const api = mirroredApi(httpApi({ server }), { clock: monotonic });
  const manifest = await api.manifest({ signal });
  const { model: shape, parameters, run, version, hash } = manifest;
  const layout = layoutOf(shape);
  const replica = await Replica.open({
    api,
    cache: lastingCache(browserCache(server, run), () => {}),
    file: modelFile(layout),
    parameters,
    signal,
    progress: (_, bytes, total) => say({ type: "downloading", bytes, total }),
  });
  const weights = await replica.sync(version, hash);
  await replica.save();
  const tokenizer = loadTokenizer(await api.tokenizer(manifest, { signal }));
  loaded = { decoder: new CachedDecoder(shape, weights), tokenizer, context: shape.context };
  say({ type: "ready", version, vocabulary: tokenizer.vocabulary });
}

async function write({ prompt, length, ...sampling }: WriteRequest, signal: AbortSignal): Promise<void> {
  if (loaded === undefined) throw new Error("the model is not loaded yet");
  const { decoder, tokenizer, context } = loaded;
  const { vocabulary } = tokenizer; // the model may have spare rows
  // A model writes on from something; where nothing was given, from the start of a line.
  const begin = tokenizer.encode(prompt === "" ? "\n" : prompt);
  const written: number[] = [];
  const begun = monotonic();
  let shown = begun;
  const show = () => {
    const next = topGuesses(decoder.logits().subarray(0, vocabulary), SHOWN_CANDIDATES).map(
      ({ token, probability }) => ({
        token: tokenizer.piece(token),
        probability,
      }),
    );
    say({ type: "text", text: tokenizer.decode(written), tokens: written.length, next });
  };
  for (const token of generateCached(decoder, context, begin, { ...sampling, vocabulary })) {
    written.push(token);
    if (written.length >= length) break;
    if (monotonic() - shown < SHOW_EVERY_MS) continue;
    show();
    await sleep(0, signal); // lets a stop come in
    shown = monotonic();
  }
  show();
  say({ type: "done", tokensPerSecond: (written.length * 1_000) / Math.max(monotonic() - begun, 1) });
}

/** A newer command has taken this one's place. */
class Ended extends Error {
  override readonly name = "Ended";
}
