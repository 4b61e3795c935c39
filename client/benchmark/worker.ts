import { as, asObject, asText } from "../../protocol/guards.ts";
import { runBench } from "./contenders.ts";
import type { Report } from "./messages.ts";
import { isConfig } from "./workload.ts";

/** The bench's Worker, so that the page stays smooth. One measurement a Worker: the page ends it to stop. */
const report = (message: Report) => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<unknown>) => {
  const { config, server } = asObject(data, "command");
  void runBench({
    config: as(isConfig, config, "config"),
    server: asText(server, "server", 2048),
    clock: () => performance.now(),
    report,
  });
});
