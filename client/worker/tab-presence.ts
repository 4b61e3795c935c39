import { type After, afterAwake, later } from "../../model/lib/deadline.ts";

/** Tabs of one site ask each other here whether any of them trains. */
const CHANNEL = "murmuration-trainer";
const QUESTION = "does anybody train?";
const ANSWER = "this tab does";
/** Milliseconds a tab has to answer: its page's thread is busy for moments only. */
const ANSWER_MS = 10_000;

/** Answers other tabs for this page while `trains` says so. Returns the way to stop answering. */
export function answerOtherTabs(trains: () => boolean): () => void {
  if (globalThis.BroadcastChannel === undefined) return () => {};
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (data === QUESTION && trains()) channel.postMessage(ANSWER);
  };
  return () => channel.close();
}

/**
 * Whether any tab says that it trains; true where tabs cannot be asked. A tab that its browser has frozen says nothing,
 * nor does one that is gone.
 */
export async function doesAnyTabTrain(after: After = later): Promise<boolean> {
  if (globalThis.BroadcastChannel === undefined) return true;
  const channel = new BroadcastChannel(CHANNEL);
  const { promise: answered, resolve: answer } = Promise.withResolvers<boolean>();
  channel.onmessage = ({ data }) => {
    if (data === ANSWER) answer(true);
  };
  channel.postMessage(QUESTION);
  const cancel = afterAwake(ANSWER_MS, () => answer(false), after);
  try {
    return await answered;
  } finally {
    cancel();
    channel.close();
  }
}
