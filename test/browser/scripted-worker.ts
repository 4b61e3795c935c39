import type { Command, Phase, Report } from "../../client/worker/messages.ts";
import { exampleLook } from "./example-look.ts";

/**
 * Stands in for the trainer's Worker where a page is under test: says what `/script` holds, and what a test posts on the
 * channel "reports"; obeys commands.
 */
const say = (report: Report) => postMessage(report);
new BroadcastChannel("reports").onmessage = ({ data }: MessageEvent<Report>) => say(data);
let tokens: readonly string[] = [];
const enter = (phase: Phase) => say({ type: "phase", phase });

addEventListener("message", async ({ data }: MessageEvent<Command>) => {
  switch (data.type) {
    case "start": {
      const script: readonly Report[] = await (await fetch("/script")).json();
      const read = script.find((report) => report.type === "passage");
      tokens = read?.passage.tokens ?? [];
      return script.forEach(say);
    }
    case "pause":
      return enter({ phase: "paused", why: data.why });
    case "resume":
      return enter({ phase: "training" });
    case "stop":
      return enter({ phase: "stopped" });
    case "look":
      exampleLook(tokens).forEach(say);
      return;
    case "share":
      return;
  }
});
