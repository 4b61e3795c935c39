import type { WriterCommand, WriterReport } from "../../client/writer/messages.ts";

/** Stands in for the writer's Worker where a page that has one is under test. */
const say = (report: WriterReport) => postMessage(report);
const SEA = " was the ship, and the sea was a long of the boat; <b>the captain</b> had not";

addEventListener("message", ({ data }: MessageEvent<WriterCommand>) => {
  switch (data.type) {
    case "load":
      say({ type: "downloading", bytes: 500_000, total: 1_141_248 });
      return say({ type: "ready", version: 159, vocabulary: 512 });
    case "write": {
      const { temperature, topK, seed } = data.request;
      const next = [" the", " a", ",", "\n", "<img src=x onerror=alert(1)>"].map((token, i) => ({
        token,
        probability: 0.4 / (i + 1) ** 2,
      }));
      const text = `${SEA} [${temperature}, ${topK}, ${seed}]`;
      say({ type: "text", text, tokens: 20, next });
      return say({ type: "done", tokensPerSecond: 812 });
    }
    case "stop":
      return;
  }
});
