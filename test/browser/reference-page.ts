import type { Answer, Question } from "./reference-worker.ts";

declare global {
  /** Starts the reference in a Worker and resolves with what it says. */
  var askReference: (question: Question) => Promise<Answer>;
}

globalThis.askReference = (question) =>
  new Promise((resolve) => {
    const worker = new Worker(new URL("./reference-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = ({ message }) => resolve({ failed: message });
    worker.postMessage(question);
  });
