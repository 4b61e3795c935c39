import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { generate } from "../../model/decode/generate.ts";
import type { WritingOrder, Written } from "./ports.ts";

/** The character that stands where a token ends in the middle of one. */
const CUT = "\uFFFD";

/** The first half of a character that UTF-16 has in two. */
const FIRST_HALF = /[\uD800-\uDBFF]$/;

/**
 * Writes on from a prompt with weights that are loaded, until enough is written, a stop text comes, which is left out, or
 * `isOver` between two tokens. `part` gets the text as it comes: never half a character, nor what may be the beginning of
 * a stop text.
 */
export async function write(
  trainer: Trainer,
  tokenizer: Pick<Tokenizer, "encode" | "decode" | "vocabulary">,
  context: number,
  order: WritingOrder,
  part: (text: string) => void,
  isOver: () => boolean = () => false,
): Promise<Written> {
  const { maxTokens, temperature, topK, seed, stop } = order;
  const prompt = tokenizer.encode(order.prompt);
  const held = Math.max(0, ...stop.map((text) => text.length - 1));
  const tokens: number[] = [];
  let sent = 0;
  const send = (text: string, end: number) => {
    if (end > sent) part(text.slice(sent, end));
    sent = Math.max(sent, end);
  };
  const usage = () => ({ promptTokens: prompt.length, tokens: tokens.length });
  const sampling = { temperature, topK, vocabulary: tokenizer.vocabulary, seed };
  for await (const token of generate(trainer, context, prompt, sampling)) {
    tokens.push(token);
    const text = tokenizer.decode(tokens);
    const found = stop.map((one) => text.indexOf(one)).filter((at) => at >= 0);
    if (found.length > 0) {
      send(text, Math.min(...found));
      return { ...usage(), ended: "stop" };
    }
    if (tokens.length === maxTokens || isOver()) {
      send(text, text.length);
      break;
    }
    const whole = text.endsWith(CUT) ? text.replace(/\uFFFD+$/, "").length : text.length;
    const end = Math.min(whole, text.length - held);
    send(text, FIRST_HALF.test(text.slice(0, Math.max(0, end))) ? end - 1 : end);
  }
  return { ...usage(), ended: "length" };
}
