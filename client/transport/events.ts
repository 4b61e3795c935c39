import { utf8 } from "../../protocol/bytes.ts";
import { parseEvent, type RunEvent } from "../../protocol/events.ts";
import { parseJson } from "../../protocol/guards.ts";
import { WrongBytes } from "./away.ts";

/** Characters of one event: the longest holds a sample of text. */
const MAX_CHARACTERS = 64 * 1024;

/**
 * Server-sent events out of a response's stream (rule E1), the same code in Workers and Node. Comments, and events
 * of a type or form unknown here, are skipped. `heard` is called for all that comes. Throws {@link WrongBytes} on an
 * event without end.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  heard: (bytes: number) => void,
): AsyncGenerator<RunEvent, void, undefined> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard(value.length);
      text += decoder.decode(value, { stream: true }).replaceAll("\r", "");
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      if (text.length > MAX_CHARACTERS) throw new WrongBytes("an event without end");
      for (const block of blocks) {
        const event = eventOf(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): RunEvent | undefined {
  const lines = block.split("\n").filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return undefined;
  try {
    return parseEvent(parseJson(utf8(lines.map((line) => line.slice(5)).join("\n"))));
  } catch {
    return undefined;
  }
}
